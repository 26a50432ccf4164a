/* SPDX-License-Identifier: ISC */
#include "store/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/encode.h"
#include "rt/file.h"

enum { NAME_DIGITS = 10, RECORD_CRC_AT = 24, FILE_CRC_AT = 28, SEARCH_WINDOW = 256 << 10 };

static const str magic = {"POMBOSEG", 8};

void segment_name(uint64_t number, char out[SEGMENT_NAME_MAX])
{
	snprintf(out, SEGMENT_NAME_MAX, "%0*" PRIu64, NAME_DIGITS, number);
}

bool segment_number(const char *name, uint64_t *number)
{
	str s = str_from(name);

	return s.n >= NAME_DIGITS && str_to_u64(s, INT64_MAX, number) && *number > 0;
}

/* --- the file --- */

static err system_error(const char *what, uint64_t number)
{
	bool ours = errno == EMFILE || errno == ENFILE || errno == ENOMEM; /* no fault of the file's */
	err e = errno == ENOSPC || errno == EDQUOT ? E_FULL : errno == ENOENT ? E_NOT_FOUND : ours ? E_TEMP : E_IO;

	return err_note(e, "segment %" PRIu64 ": %s: %s", number, what, strerror(errno));
}

static err write_header(const struct segment *s)
{
	BUF(head, SEGMENT_HEADER);

	buf_put(&head, magic);
	buf_le32(&head, SEGMENT_VERSION);
	buf_le64(&head, s->number);
	buf_le64(&head, s->mark);
	buf_le32(&head, crc32c(0, buf_str(&head)));
	if (head.full)
		return err_note(E_MEMORY, "no memory for a segment");
	struct iovec iov = {head.p, head.n};
	return file_write_all(s->fd, &iov, 1, 0);
}

static err make_durable(int dir, const struct segment *s)
{
	if (fsync(s->fd) != 0 || fsync(dir) != 0)
		return system_error("sync", s->number);
	return OK;
}

err segment_create(int dir, uint64_t number, struct segment *out)
{
	struct segment s = {.number = number};
	char name[SEGMENT_NAME_MAX];
	err e;

	if (getrandom(&s.mark, sizeof(s.mark), 0) != sizeof(s.mark))
		return system_error("random", number);
	segment_name(number, name);
	s.fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s.fd < 0)
		return system_error("create", number);
	e = write_header(&s);
	if (e == OK)
		e = make_durable(dir, &s);
	if (e == OK) {
		*out = s;
		return OK;
	}
	unlinkat(dir, name, 0);
	segment_close(&s);
	return e;
}

/* A damaged file header is no reason to lose the records: the first of them begins with the mark too. */
static err read_header(struct segment *s)
{
	char head[SEGMENT_HEADER + 8];
	err e = file_read_at(s->fd, head, sizeof(head), 0);
	size_t n = e == OK ? sizeof(head) : SEGMENT_HEADER;

	if (e == E_END)
		e = file_read_at(s->fd, head, n, 0);
	if (e == E_END)
		return err_note(E_SYNTAX, "segment %" PRIu64 " has no header", s->number);
	if (e != OK)
		return e;
	struct cursor c = cursor_of(str_make(head, n));
	bool good = cursor_accept_str(&c, magic) && cursor_le32(&c) == SEGMENT_VERSION && cursor_le64(&c) == s->number;
	s->mark = cursor_le64(&c);
	if (good && cursor_le32(&c) == crc32c(0, str_make(head, FILE_CRC_AT)))
		return OK;
	if (n == SEGMENT_HEADER)
		return err_note(E_SYNTAX, "segment %" PRIu64 " has a damaged header", s->number);
	c = cursor_of(str_make(head + SEGMENT_HEADER, 8));
	s->mark = cursor_le64(&c);
	return OK;
}

err segment_open(int dir, uint64_t number, enum segment_access access, struct segment *out)
{
	struct segment s = {.number = number};
	char name[SEGMENT_NAME_MAX];
	err e;

	segment_name(number, name);
	s.fd = openat(dir, name, (access == SEGMENT_APPEND ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
	if (s.fd < 0)
		return system_error("open", number);
	e = read_header(&s);
	if (e != OK)
		segment_close(&s);
	else
		*out = s;
	return e;
}

void segment_close(struct segment *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

err segment_size(const struct segment *s, uint64_t *octets)
{
	struct stat st;

	if (fstat(s->fd, &st) != 0)
		return system_error("stat", s->number);
	*octets = (uint64_t)st.st_size;
	return OK;
}

/* --- records --- */

uint64_t segment_record_put(struct buf *out, uint64_t mark, enum segment_kind kind, str envelope, const str *body,
                            size_t parts)
{
	size_t from = out->n;
	uint64_t octets = 0;

	for (size_t i = 0; i < parts; i++)
		octets += body[i].n;
	buf_le64(out, mark);
	buf_le32(out, kind);
	buf_le32(out, (uint32_t)envelope.n);
	buf_le64(out, octets);
	uint32_t crc = out->full ? 0 : crc32c(0, str_drop(buf_str(out), from));
	crc = crc32c(crc, envelope);
	for (size_t i = 0; i < parts; i++)
		crc = crc32c(crc, body[i]);
	buf_le32(out, crc);
	buf_le32(out, 0);
	buf_put(out, envelope);
	return SEGMENT_RECORD_HEAD + envelope.n + octets;
}

struct head {
	uint64_t mark, envelope, body, length;
	uint32_t kind, crc;
};

static bool head_parse(str bytes, uint64_t mark, struct head *h)
{
	struct cursor c = cursor_of(bytes);

	h->mark = cursor_le64(&c);
	h->kind = cursor_le32(&c);
	h->envelope = cursor_le32(&c);
	h->body = cursor_le64(&c);
	h->crc = cursor_le32(&c);
	if (c.failed || h->mark != mark || h->kind < SEGMENT_MESSAGE_1 || h->kind > SEGMENT_MOVES)
		return false;
	h->length = SEGMENT_RECORD_HEAD + h->envelope + h->body;
	return h->body < SEGMENT_RECORD_MAX && h->length < SEGMENT_RECORD_MAX;
}

err segment_record_parse(str bytes, uint64_t mark, struct segment_record *out)
{
	struct head h;

	*out = (struct segment_record){0};
	if (bytes.n < SEGMENT_RECORD_HEAD)
		return E_END;
	if (!head_parse(bytes, mark, &h))
		return err_note(E_SYNTAX, "no record begins here");
	out->kind = (enum segment_kind)h.kind;
	out->length = h.length;
	if (bytes.n < h.length)
		return E_END;
	out->envelope = str_take(str_drop(bytes, SEGMENT_RECORD_HEAD), h.envelope);
	out->body = str_take(str_drop(bytes, SEGMENT_RECORD_HEAD + h.envelope), h.body);
	uint32_t crc = crc32c(0, str_take(bytes, RECORD_CRC_AT));
	crc = crc32c(crc32c(crc, out->envelope), out->body);
	return crc == h.crc ? OK : err_note(E_SYNTAX, "the record's checksum does not fit");
}

/* Makes memory hold the file's octets [at, at + n). */
static err fetch(const struct segment *s, uint64_t at, size_t n, struct buf *memory)
{
	buf_reset(memory);
	char *to = buf_reserve(memory, n);
	if (to == NULL)
		return err_note(E_LIMIT, "no memory for a record of %zu octets", n);
	err e = file_read_at(s->fd, to, n, (off_t)at);
	if (e == OK)
		buf_commit(memory, n);
	return e;
}

err segment_read(const struct segment *s, uint64_t at, struct buf *memory, struct segment_record *out)
{
	err e = fetch(s, at, SEGMENT_RECORD_HEAD, memory);

	if (e != OK)
		return e;
	e = segment_record_parse(buf_str(memory), s->mark, out);
	if (e != E_END)
		return e; /* damaged: every record is longer than its header */
	e = fetch(s, at, (size_t)out->length, memory);
	return e == OK ? segment_record_parse(buf_str(memory), s->mark, out) : e;
}

/* --- walking --- */

struct segment_scan segment_scan_begin(const struct segment *s, uint64_t end)
{
	struct segment_scan scan = {
		.segment = s, .next = SEGMENT_HEADER, .end = end, .memory = BUF_INIT(SEGMENT_RECORD_MAX)};
	uint64_t size = end;

	if (segment_size(s, &size) == OK && size < end) {
		scan.damaged = end - size;
		scan.end = size;
	}
	return scan;
}

/* Moves `next` to the next octets that look like a record's beginning, or to the end. */
static err resync(struct segment_scan *scan)
{
	BUF(mark, sizeof(scan->segment->mark));
	uint64_t at = scan->next + 1;

	buf_le64(&mark, scan->segment->mark);
	while (at + mark.n <= scan->end && !mark.full) {
		size_t n = scan->end - at < SEARCH_WINDOW ? (size_t)(scan->end - at) : SEARCH_WINDOW;
		err e = fetch(scan->segment, at, n, &scan->memory);
		if (e == E_END)
			break; /* the file is shorter than it was */
		if (e != OK)
			return e;
		const char *hit = memmem(scan->memory.p, n, mark.p, mark.n);
		if (hit != NULL) {
			at += (uint64_t)(hit - scan->memory.p);
			scan->damaged += at - scan->next;
			scan->next = at;
			return OK;
		}
		at += n - mark.n + 1;
	}
	scan->damaged += scan->end - scan->next;
	scan->next = scan->end;
	return OK;
}

/* Nothing but zeros up to the end: room that was written ahead, and no damage. */
static bool only_zeros_left(struct segment_scan *scan)
{
	for (uint64_t at = scan->next; at < scan->end;) {
		size_t n = scan->end - at < SEARCH_WINDOW ? (size_t)(scan->end - at) : SEARCH_WINDOW;
		if (fetch(scan->segment, at, n, &scan->memory) != OK)
			return false;
		if (scan->memory.p[0] != '\0' || memcmp(scan->memory.p, scan->memory.p + 1, n - 1) != 0)
			return false;
		at += n;
	}
	return true;
}

err segment_scan_next(struct segment_scan *scan, struct segment_record *out)
{
	while (scan->next < scan->end) {
		err e = segment_read(scan->segment, scan->next, &scan->memory, out);

		if (e == OK && out->length <= scan->end - scan->next) {
			scan->at = scan->next;
			scan->next += out->length;
			return OK;
		}
		if (e != OK && e != E_SYNTAX && e != E_END)
			return e;
		if (only_zeros_left(scan))
			return E_END;
		e = resync(scan);
		if (e != OK)
			return e;
	}
	return E_END;
}

void segment_scan_end(struct segment_scan *scan)
{
	buf_free(&scan->memory);
}
