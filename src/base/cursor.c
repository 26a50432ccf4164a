/* SPDX-License-Identifier: ISC */
#include "base/cursor.h"

#include <endian.h>

bool cursor_accept_str(struct cursor *c, str s)
{
	if (!str_starts(cursor_rest(c), s))
		return false;
	c->p += c->failed ? 0 : s.n;
	return true;
}

bool cursor_accept_nocase(struct cursor *c, str s)
{
	if (!str_starts_nocase(cursor_rest(c), s))
		return false;
	c->p += c->failed ? 0 : s.n;
	return true;
}

str cursor_take_until(struct cursor *c, char stop)
{
	return cursor_bytes(c, str_find(cursor_rest(c), stop));
}

uint64_t cursor_number(struct cursor *c, uint64_t max)
{
	str s = cursor_rest(c);
	size_t n = 0;
	uint64_t v = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	if (!str_to_u64(str_take(s, n), max, &v)) {
		cursor_fail(c);
		return 0;
	}
	c->p += n;
	return v;
}

uint32_t cursor_le32(struct cursor *c)
{
	str s = cursor_bytes(c, sizeof(uint32_t));
	uint32_t v = 0;

	if (s.n > 0)
		memcpy(&v, s.p, sizeof(v));
	return le32toh(v);
}

uint64_t cursor_le64(struct cursor *c)
{
	str s = cursor_bytes(c, sizeof(uint64_t));
	uint64_t v = 0;

	if (s.n > 0)
		memcpy(&v, s.p, sizeof(v));
	return le64toh(v);
}

uint64_t cursor_varint(struct cursor *c)
{
	const char *start = c->p;
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);
		if (c->failed || (shift == 63 && byte > 1))
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	c->p = start;
	cursor_fail(c);
	return 0;
}
