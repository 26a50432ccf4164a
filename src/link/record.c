/* SPDX-License-Identifier: ISC */
/* A record on the wire is its fields in order: a number is a varint, a string a varint length and its bytes, a list a varint count and its
 * items, a body 0 and a string or 1 (its descriptor comes beside it), a descriptor 0 (none) or 1. */
#include "link/record.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "rt/file.h"

enum { BODY_BYTES = 0, BODY_FILE = 1, PRINT_MAX = 80 };
#define BODY_FILE_MAX (1ll << 32) /* address space that one body may take */

static void *member(void *data, size_t at)
{
	return (char *)data + at;
}

static const void *member_const(const void *data, size_t at)
{
	return (const char *)data + at;
}

static size_t count_of(const void *data, const struct field *f)
{
	return *(const size_t *)member_const(data, f->count_at);
}

static const void *item_of(const void *data, const struct field *f, size_t i)
{
	return member_const(*(const void *const *)member_const(data, f->at), i * f->item->size);
}

void body_release(struct body *b)
{
	if (b->fd < 0)
		return;
	if (b->bytes.n > 0)
		munmap((void *)(uintptr_t)b->bytes.p, b->bytes.n);
	close(b->fd);
	*b = BODY_OF(STR_NONE);
}

void record_init(const struct record *r, void *data)
{
	const struct field *f = r->fields();

	memset(data, 0, r->size);
	for (size_t i = 0; i < r->n; i++) {
		if (f[i].kind == FIELD_FD)
			*(int *)member(data, f[i].at) = -1;
		else if (f[i].kind == FIELD_BODY)
			((struct body *)member(data, f[i].at))->fd = -1;
	}
}

static void descriptor_release(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void record_release(const struct record *r, void *data)
{
	const struct field *f = r->fields();

	for (size_t i = 0; i < r->n; i++) {
		if (f[i].kind == FIELD_FD)
			descriptor_release(member(data, f[i].at));
		else if (f[i].kind == FIELD_BODY)
			body_release(member(data, f[i].at));
	}
}

/* --- packing --- */

static void pack_str(str s, struct buf *out)
{
	buf_varint(out, s.n);
	buf_put(out, s);
}

static void pack_descriptor(int fd, struct buf *out, struct record_fds *fds)
{
	buf_varint(out, fd >= 0);
	if (fd < 0)
		return;
	if (fds->n == RECORD_FDS_MAX)
		out->full = true;
	else
		fds->fd[fds->n++] = fd;
}

static void pack_body(const struct body *b, struct buf *out, struct record_fds *fds)
{
	pack_descriptor(b->fd, out, fds); /* BODY_FILE or BODY_BYTES */
	if (b->fd < 0)
		pack_str(b->bytes, out);
}

static void pack_list(const struct field *f, const void *data, struct buf *out, struct record_fds *fds)
{
	size_t n = count_of(data, f);

	if (n > RECORD_LIST_MAX) { /* the peer would take it for a lie and hang up */
		fds->too_long = true;
		return;
	}
	buf_varint(out, n);
	for (size_t i = 0; i < n; i++)
		record_pack(f->item, item_of(data, f, i), out, fds);
}

void record_pack(const struct record *r, const void *data, struct buf *out, struct record_fds *fds)
{
	const struct field *f = r->fields();

	for (size_t i = 0; i < r->n; i++) {
		const void *m = member_const(data, f[i].at);

		switch (f[i].kind) {
		case FIELD_NUM:
			buf_varint(out, *(const uint64_t *)m);
			break;
		case FIELD_STR:
			pack_str(*(const str *)m, out);
			break;
		case FIELD_LIST:
			pack_list(&f[i], data, out, fds);
			break;
		case FIELD_BODY:
			pack_body(m, out, fds);
			break;
		case FIELD_FD:
			pack_descriptor(*(const int *)m, out, fds);
			break;
		}
	}
}

/* --- unpacking --- */

static str unpack_str(struct cursor *in)
{
	uint64_t n = cursor_varint(in);

	if (n > cursor_left(in)) {
		cursor_fail(in);
		return STR_NONE;
	}
	return cursor_bytes(in, n);
}

static int unpack_descriptor(struct cursor *in, struct record_fds *fds)
{
	uint64_t there = cursor_varint(in);

	if (there == 0)
		return -1;
	if (there != 1 || fds->taken == fds->n) {
		cursor_fail(in);
		return -1;
	}
	return fds->fd[fds->taken++];
}

/* Only what can never change or shrink again may be mapped: a file cut short under a mapping kills its reader. */
static bool body_map(int fd, str *bytes)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int have = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (have < 0 || (have & seals) != seals || fstat(fd, &st) != 0 || st.st_size > BODY_FILE_MAX)
		return false;
	*bytes = STR_NONE;
	if (st.st_size == 0)
		return true;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;
	*bytes = str_make(p, (size_t)st.st_size);
	return true;
}

static err body_file(const char *name, str bytes, int *fd)
{
	struct iovec iov = {(void *)(uintptr_t)bytes.p, bytes.n};
	err e = file_memfd(name, fd);

	if (e == OK)
		e = file_write_all(*fd, &iov, 1, 0);
	if (e == OK)
		e = file_seal(*fd);
	return e == OK ? OK : err_note(E_TEMP, "%s", err_info()->text);
}

err body_make(const char *name, str bytes, struct arena *a, struct body *out)
{
	*out = BODY_OF(STR_NONE);
	if (bytes.n <= BODY_INLINE_MAX) {
		out->bytes = arena_str(a, bytes);
		return a->full ? err_note(E_MEMORY, "no memory for a %s", name) : OK;
	}
	err e = body_file(name, bytes, &out->fd);
	if (e == OK && !body_map(out->fd, &out->bytes))
		e = err_note(E_MEMORY, "no memory for a %s", name);
	if (e != OK)
		body_release(out);
	return e;
}

static void unpack_body(struct cursor *in, struct body *b, struct record_fds *fds)
{
	b->fd = unpack_descriptor(in, fds);
	if (in->failed)
		return;
	if (b->fd < 0)
		b->bytes = unpack_str(in);
	else if (!body_map(b->fd, &b->bytes))
		cursor_fail(in);
}

static void unpack_fields(const struct record *r, struct cursor *in, void *data, struct arena *a,
                          struct record_fds *fds);

/* An item takes at least one byte, so a count beyond what is left is a lie, told before anything is allocated for it. */
static void unpack_list(const struct field *f, struct cursor *in, void *data, struct arena *a, struct record_fds *fds)
{
	uint64_t n = cursor_varint(in);

	if (n > RECORD_LIST_MAX || n > cursor_left(in)) {
		cursor_fail(in);
		return;
	}
	char *items = arena_array(a, n, f->item->size);
	if (items == NULL) {
		cursor_fail(in);
		return;
	}
	*(void **)member(data, f->at) = items;
	*(size_t *)member(data, f->count_at) = n;
	for (size_t i = 0; i < n && !in->failed; i++)
		unpack_fields(f->item, in, member(items, i * f->item->size), a, fds);
}

static void unpack_fields(const struct record *r, struct cursor *in, void *data, struct arena *a,
                          struct record_fds *fds)
{
	const struct field *f = r->fields();

	for (size_t i = 0; i < r->n && !in->failed; i++) {
		void *m = member(data, f[i].at);

		switch (f[i].kind) {
		case FIELD_NUM:
			*(uint64_t *)m = cursor_varint(in);
			break;
		case FIELD_STR:
			*(str *)m = unpack_str(in);
			break;
		case FIELD_LIST:
			unpack_list(&f[i], in, data, a, fds);
			break;
		case FIELD_BODY:
			unpack_body(in, m, fds);
			break;
		case FIELD_FD:
			*(int *)m = unpack_descriptor(in, fds);
			break;
		}
	}
}

err record_unpack(const struct record *r, struct cursor *in, void *data, struct arena *a, struct record_fds *fds)
{
	record_init(r, data);
	unpack_fields(r, in, data, a, fds);
	if (!in->failed && cursor_end(in))
		return OK;
	cursor_fail(in);
	record_release(r, data);
	return a->full ? err_note(E_LIMIT, "%s is too large", r->name) : err_note(E_SYNTAX, "malformed %s", r->name);
}

/* --- printing --- */

static bool is_secret(const char *name)
{
	static const char *const secrets[] = {"password", "secret", "hash", "response"};

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (strcmp(name, secrets[i]) == 0)
			return true;
	return false;
}

static void print_str(const char *name, str s, struct buf *out)
{
	buf_putc(out, '"');
	if (is_secret(name))
		buf_puts(out, "***");
	else
		escape_text(out, str_take(s, PRINT_MAX));
	buf_puts(out, s.n > PRINT_MAX ? "...\"" : "\"");
}

static void print_list(const struct field *f, const void *data, struct buf *out)
{
	size_t n = count_of(data, f);

	buf_putc(out, '[');
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i > 0 ? " {" : "{");
		record_print(f->item, item_of(data, f, i), out);
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
}

void record_print(const struct record *r, const void *data, struct buf *out)
{
	const struct field *f = r->fields();

	for (size_t i = 0; i < r->n; i++) {
		const void *m = member_const(data, f[i].at);

		buf_printf(out, "%s%s=", i > 0 ? " " : "", f[i].name);
		switch (f[i].kind) {
		case FIELD_NUM:
			buf_u64(out, *(const uint64_t *)m);
			break;
		case FIELD_STR:
			print_str(f[i].name, *(const str *)m, out);
			break;
		case FIELD_LIST:
			print_list(&f[i], data, out);
			break;
		case FIELD_BODY:
			buf_printf(out, "<%zu octets>", ((const struct body *)m)->bytes.n);
			break;
		case FIELD_FD:
			buf_puts(out, *(const int *)m >= 0 ? "<descriptor>" : "none");
			break;
		}
	}
}
