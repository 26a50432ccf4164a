/* SPDX-License-Identifier: ISC */
/* cursor - reads input whose failure sticks: parse straight through, check `failed` once. After a failure every read
 * returns zero, an empty view or false and moves nothing.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/str.h"

struct cursor {
	const char *p, *end;
	bool failed;
};

static inline struct cursor cursor_of(str s)
{
	return s.n == 0 ? (struct cursor){"", "", false} : (struct cursor){s.p, s.p + s.n, false};
}

/* Bytes that can still be read: 0 at the end, and after a failure. */
static inline size_t cursor_left(const struct cursor *c)
{
	return c->failed ? 0 : (size_t)(c->end - c->p);
}

static inline bool cursor_end(const struct cursor *c)
{
	return c->failed || c->p == c->end;
}

static inline str cursor_rest(const struct cursor *c)
{
	return (str){c->p, cursor_left(c)};
}

/* `p` stays where it is, so that the place of a fault can be told. */
static inline void cursor_fail(struct cursor *c)
{
	c->failed = true;
}

/* Text. peek: the next byte, -1 at the end. accept: takes it if it is there. expect: fails if it is not. */
static inline int cursor_peek(const struct cursor *c)
{
	return cursor_end(c) ? -1 : (unsigned char)*c->p;
}

static inline bool cursor_accept(struct cursor *c, char ch)
{
	if (cursor_end(c) || *c->p != ch)
		return false;
	c->p++;
	return true;
}

bool cursor_accept_str(struct cursor *c, str s);
bool cursor_accept_nocase(struct cursor *c, str s);
static inline void cursor_expect(struct cursor *c, char ch)
{
	if (!cursor_accept(c, ch))
		cursor_fail(c);
}

str cursor_take_until(struct cursor *c, char stop);     /* up to `stop` or the end; `stop` is not taken */
uint64_t cursor_number(struct cursor *c, uint64_t max); /* decimal, at least one digit, at most max; else fails */

/* Binary. Less input than asked for fails. */
static inline str cursor_bytes(struct cursor *c, size_t n)
{
	if (cursor_left(c) < n) {
		cursor_fail(c);
		return STR_NONE;
	}
	c->p += n;
	return (str){c->p - n, n};
}

/* May be empty. */
static inline str cursor_take_while(struct cursor *c, bool (*is)(unsigned char))
{
	str s = cursor_rest(c);
	size_t n = 0;

	while (n < s.n && is((unsigned char)s.p[n]))
		n++;
	return cursor_bytes(c, n);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	str s = cursor_bytes(c, 1);

	return s.n == 0 ? 0 : (uint8_t)*s.p;
}

uint32_t cursor_le32(struct cursor *c);
uint64_t cursor_le64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c); /* LEB128; more than 64 bits fails */

#endif
