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

struct cursor cursor_of(str s);
bool cursor_end(const struct cursor *c);                /* at the end, or failed */
str cursor_rest(const struct cursor *c);
size_t cursor_left(const struct cursor *c);
void cursor_fail(struct cursor *c);

/* Text. peek: the next byte, -1 at the end. accept: takes it if it is there. expect: fails if it is not. */
int cursor_peek(const struct cursor *c);
bool cursor_accept(struct cursor *c, char ch);
bool cursor_accept_str(struct cursor *c, str s);
bool cursor_accept_nocase(struct cursor *c, str s);
void cursor_expect(struct cursor *c, char ch);
str cursor_take_while(struct cursor *c, bool (*is)(unsigned char)); /* may be empty */
str cursor_take_until(struct cursor *c, char stop);     /* up to `stop` or the end; `stop` is not taken */
uint64_t cursor_number(struct cursor *c, uint64_t max); /* decimal, at least one digit, at most max; else fails */

/* Binary. Less input than asked for fails. */
str cursor_bytes(struct cursor *c, size_t n);
uint8_t cursor_u8(struct cursor *c);
uint32_t cursor_le32(struct cursor *c);
uint64_t cursor_le64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c);               /* LEB128; more than 64 bits fails */

#endif
