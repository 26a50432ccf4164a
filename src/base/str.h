/* SPDX-License-Identifier: ISC */
/* str - a view of bytes that somebody else owns. Text is passed as views; a C string exists only at a system call.
 * Views may hold any byte, NUL too. All comparisons that ignore case do so for ASCII only.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

typedef struct {
	const char *p;
	size_t n;
} str;

#define STR(literal) ((str){"" literal, sizeof(literal) - 1})
#define STR_NONE     ((str){NULL, 0})
#define STR_FMT      "%.*s"
#define STR_ARG(s)   (int)(s).n, (s).n ? (s).p : ""

static inline str str_make(const char *p, size_t n)
{
	return (str){p, n};
}

/* View of a C string; NULL gives STR_NONE. */
static inline str str_from(const char *z)
{
	return z == NULL ? STR_NONE : (str){z, strlen(z)};
}

static inline bool str_equal(str a, str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_same_nocase(str a, str b); /* of texts that have the same length */
static inline bool str_equal_nocase(str a, str b)
{
	return a.n == b.n && str_same_nocase(a, b);
}

int str_compare(str a, str b); /* bytewise, as memcmp; a prefix sorts first */
bool str_starts(str s, str prefix);
bool str_starts_nocase(str s, str prefix);
bool str_ends(str s, str suffix);
bool str_ends_nocase(str s, str suffix);
bool str_contains(str s, str part);

/* Index of the first or last `c`, s.n when there is none. */
static inline size_t str_find(str s, char c)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

size_t str_find_last(str s, char c);

/* The first `n` bytes, and what is behind them; `n` beyond the end means all. */
static inline str str_take(str s, size_t n)
{
	return (str){s.p, n < s.n ? n : s.n};
}

static inline str str_drop(str s, size_t n)
{
	return n < s.n ? (str){s.p + n, s.n - n} : (str){s.n == 0 ? s.p : s.p + s.n, 0};
}

str str_trim(str s); /* without blanks, tabs, CR and LF at both ends */

/* Splits at the first `sep`: false when there is none (head is all, tail is empty). head or tail may be `s` itself. */
bool str_cut(str s, char sep, str *head, str *tail);
/* Takes the next word off `rest` (words are separated by blanks and tabs); empty when there is none left. */
str str_word(str *rest);

/* A decimal number without sign, all of `s`, at most `max`: false otherwise (empty, other bytes, too large). */
MUST_USE bool str_to_u64(str s, uint64_t max, uint64_t *out);

bool str_is_ascii(str s); /* no byte >= 0x80 */
bool str_is_utf8(str s);  /* well-formed UTF-8 (RFC 3629), NUL allowed */
/* Bytes of the well-formed character that s begins with, and its code; 0 when there is none. */
size_t str_utf8_char(str s, uint32_t *code);
bool str_has_control(str s); /* a byte < 0x20 or 0x7f */

#endif
