/* SPDX-License-Identifier: ISC */
#include "base/str.h"

#define HIGH_BITS 0x8080808080808080ULL

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_same_nocase(str a, str b)
{
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int str_compare(str a, str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(str s, str prefix)
{
	return s.n >= prefix.n && str_equal(str_take(s, prefix.n), prefix);
}

bool str_starts_nocase(str s, str prefix)
{
	return s.n >= prefix.n && str_equal_nocase(str_take(s, prefix.n), prefix);
}

bool str_ends(str s, str suffix)
{
	return s.n >= suffix.n && str_equal(str_drop(s, s.n - suffix.n), suffix);
}

bool str_ends_nocase(str s, str suffix)
{
	return s.n >= suffix.n && str_equal_nocase(str_drop(s, s.n - suffix.n), suffix);
}

bool str_contains(str s, str part)
{
	return part.n == 0 || (s.n >= part.n && memmem(s.p, s.n, part.p, part.n) != NULL);
}

size_t str_find_last(str s, char c)
{
	const char *at = s.n == 0 ? NULL : memrchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

str str_trim(str s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = str_drop(s, 1);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_cut(str s, char sep, str *head, str *tail)
{
	size_t at = str_find(s, sep);

	*head = str_take(s, at);
	*tail = str_drop(s, at + 1);
	return at < s.n;
}

str str_word(str *rest)
{
	str s = *rest;
	size_t n = 0;

	while (s.n > 0 && is_blank(s.p[0]))
		s = str_drop(s, 1);
	while (n < s.n && !is_blank(s.p[n]))
		n++;
	*rest = str_drop(s, n);
	return str_take(s, n);
}

bool str_to_u64(str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

/* Length of the leading part of `s` that is plain ASCII, to the multiple of eight bytes below it. */
static size_t ascii_prefix(str s)
{
	size_t i = 0;

	for (; i + 8 <= s.n; i += 8) {
		uint64_t word;
		memcpy(&word, s.p + i, 8);
		if ((word & HIGH_BITS) != 0)
			break;
	}
	return i;
}

bool str_is_ascii(str s)
{
	for (size_t i = ascii_prefix(s); i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* RFC 3629 3: how many bytes a character with this first byte has; 0 when none begins so. */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2) /* continuation bytes, and c0/c1 that could only be overlong */
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

/* RFC 3629 4: not overlong, no surrogate, not above U+10FFFF. */
static bool utf8_in_range(uint32_t code, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	return code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t str_utf8_char(str s, uint32_t *code)
{
	size_t n = s.n == 0 ? 0 : utf8_length((unsigned char)s.p[0]);

	if (n == 0 || n > s.n)
		return 0;
	uint32_t v = n == 1 ? (unsigned char)s.p[0] : (unsigned char)s.p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)s.p[i] & 0x3f);
	}
	if (!utf8_in_range(v, n))
		return 0;
	*code = v;
	return n;
}

bool str_is_utf8(str s)
{
	while (s.n > 0) {
		uint32_t code;
		size_t n = ascii_prefix(s);
		if (n == 0)
			n = str_utf8_char(s, &code);
		if (n == 0)
			return false;
		s = str_drop(s, n);
	}
	return true;
}

bool str_has_control(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}
