/* SPDX-License-Identifier: ISC */
#include "link/frame.h"

#include <endian.h>

static void write_str(struct buf *out, const char *z)
{
	str s = str_from(z);

	buf_varint(out, s.n);
	buf_put(out, s);
}

static void write_descriptors(struct buf *out, const struct frame *f)
{
	buf_varint(out, f->fds_n);
	if (f->fds_n > 0)
		buf_varint(out, f->ticket);
}

static void write_head(struct buf *out, const struct frame *f)
{
	buf_le32(out, 0);
	buf_putc(out, (char)f->kind);
	buf_varint(out, f->id);
	if (f->kind == FRAME_CALL)
		buf_varint(out, f->type);
	if (f->kind == FRAME_REPLY)
		buf_varint(out, f->info.code);
	if (f->kind == FRAME_REPLY && f->info.code != OK) {
		buf_varint(out, (uint64_t)f->info.reply);
		write_str(out, f->info.status);
		write_str(out, f->info.text);
	}
}

static err write_check(const struct buf *out, size_t n, size_t fds_promised, const struct record_fds *fds)
{
	if (fds->too_long)
		return err_note(E_LIMIT, "a list of more than %d items is too long", RECORD_LIST_MAX);
	if (out->full)
		return err_note(E_FULL, "no room for a frame");
	if (n > FRAME_MAX)
		return err_note(E_LIMIT, "a frame of %zu octets is too large", n);
	return fds->n == fds_promised ? OK : err_note(E_BUSY, "descriptors go first");
}

err frame_write(struct buf *out, const struct frame *f, const struct record *r, const void *data,
                struct record_fds *fds)
{
	size_t start = out->n;

	*fds = (struct record_fds){0};
	write_head(out, f);
	if (r != NULL) {
		write_descriptors(out, f);
		record_pack(r, data, out, fds);
	}
	size_t n = out->n - start - FRAME_LENGTH_SIZE;
	err e = write_check(out, n, f->fds_n, fds);
	if (e != OK) {
		explicit_bzero(out->p + start, out->n - start);
		out->n = start;
		out->full = false;
		return e;
	}
	uint32_t length = htole32((uint32_t)n);
	memcpy(out->p + start, &length, sizeof(length));
	return OK;
}

bool frame_length(str bytes, size_t *n)
{
	struct cursor c = cursor_of(bytes);

	*n = cursor_le32(&c);
	return !c.failed && *n >= 2 && *n <= FRAME_MAX;
}

static void parse_descriptors(struct cursor *c, struct frame *out)
{
	out->fds_n = cursor_varint(c);
	if (out->fds_n > RECORD_FDS_MAX)
		cursor_fail(c);
	if (out->fds_n > 0)
		out->ticket = cursor_varint(c);
}

/* A string of at most size - 1 bytes, none of them outside ' ' .. '~' except those of UTF-8. */
static void parse_text(struct cursor *c, char *out, size_t size)
{
	str s = cursor_bytes(c, cursor_varint(c));

	if (s.n >= size || str_has_control(s)) {
		cursor_fail(c);
		return;
	}
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static bool is_status(const char *z)
{
	return z[strspn(z, "0123456789.")] == '\0';
}

/* What a sibling says here may reach a client: it must not be able to say two lines. */
static void parse_error(struct cursor *c, struct err_info *out)
{
	uint64_t reply = cursor_varint(c);

	out->reply = (int)(reply & 0x3ff);
	parse_text(c, out->status, sizeof(out->status));
	parse_text(c, out->text, sizeof(out->text));
	if (reply > 999 || !is_status(out->status) || !cursor_end(c))
		cursor_fail(c);
}

static void parse_call(struct cursor *c, struct frame *out)
{
	uint64_t type = cursor_varint(c);

	if (type >= CALL_COUNT)
		cursor_fail(c);
	out->type = (enum call)(type % CALL_COUNT);
	parse_descriptors(c, out);
}

static void parse_reply(struct cursor *c, struct frame *out)
{
	uint64_t code = cursor_varint(c);

	if (code > E_LAST)
		cursor_fail(c);
	out->info.code = (err)(code % (E_LAST + 1));
	if (code == OK)
		parse_descriptors(c, out);
	else
		parse_error(c, &out->info);
}

bool frame_parse(str bytes, struct frame *out)
{
	struct cursor c = cursor_of(bytes);

	*out = (struct frame){.kind = cursor_u8(&c)};
	out->id = cursor_varint(&c);
	if (out->kind == FRAME_CALL)
		parse_call(&c, out);
	else if (out->kind == FRAME_REPLY)
		parse_reply(&c, out);
	else if (out->kind != FRAME_CANCEL || !cursor_end(&c))
		cursor_fail(&c);
	out->record = cursor_rest(&c);
	return !c.failed;
}

bool frame_is_secret(str bytes)
{
	struct frame f;

	return frame_parse(bytes, &f) && f.kind == FRAME_CALL && call_is_secret(f.type);
}
