/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <endian.h>

enum { SIZE_FIRST = 64, PRINTED_FIRST = 192 };

static char *resize(struct buf *b, size_t size)
{
	char *p = b->secret ? malloc(size) : realloc(b->p, size);

	if (!b->secret || p == NULL || b->p == NULL)
		return p;
	memcpy(p, b->p, b->n);
	explicit_bzero(b->p, b->n);
	free(b->p);
	return p;
}

char *buf_grow(struct buf *b, size_t n)
{
	if (b->full || n > b->cap - b->n) {
		b->full = true;
		return NULL;
	}
	size_t size = b->size < SIZE_FIRST ? SIZE_FIRST : b->size * 2;
	if (size < b->n + n)
		size = b->n + n;
	if (size > b->cap)
		size = b->cap;
	char *p = resize(b, size + 1); /* one more, for the NUL that vsnprintf insists on */
	if (p == NULL) {
		b->full = true;
		return NULL;
	}
	b->p = p;
	b->size = size;
	return p + b->n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	/* Else it would be printed twice. */
	if (b->p == NULL && !b->full && buf_grow(b, b->cap < PRINTED_FIRST ? b->cap : PRINTED_FIRST) == NULL)
		return;
	size_t room = b->full || b->p == NULL ? 0 : b->size - b->n;
	va_start(ap, fmt);
	int n = vsnprintf(room == 0 ? NULL : b->p + b->n, room == 0 ? 0 : room + 1, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->full = true;
		return;
	}
	if ((size_t)n > room || room == 0) {
		char *p = buf_reserve(b, (size_t)n);
		if (p == NULL)
			return;
		va_start(ap, fmt);
		vsnprintf(p, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_put(b, str_make(digits + at, sizeof(digits) - at));
}

void buf_utf8(struct buf *b, uint32_t code)
{
	/* Of each length: what its first octet begins with, and where the code's highest bits stand. */
	static const struct {
		uint32_t mark, shift;
	} lengths[] = {{0, 0}, {0xc0, 6}, {0xe0, 12}, {0xf0, 18}};
	size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	char octets[4] = {(char)(lengths[more].mark | code >> lengths[more].shift)};

	for (size_t i = 1; i <= more; i++)
		octets[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3f));
	buf_put(b, str_make(octets, more + 1));
}

void buf_le32(struct buf *b, uint32_t v)
{
	uint32_t le = htole32(v);

	buf_put(b, str_make((const char *)&le, sizeof(le)));
}

void buf_le64(struct buf *b, uint64_t v)
{
	uint64_t le = htole64(v);

	buf_put(b, str_make((const char *)&le, sizeof(le)));
}

void buf_varint(struct buf *b, uint64_t v)
{
	char bytes[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (char)((v & 0x7f) | 0x80);
	bytes[n++] = (char)v;
	buf_put(b, str_make(bytes, n));
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	b->n -= n;
	memmove(b->p, b->p + n, b->n);
}

void buf_free(struct buf *b)
{
	if (b->secret)
		buf_wipe(b);
	free(b->p);
	*b = (struct buf){.cap = b->cap, .secret = b->secret};
}
