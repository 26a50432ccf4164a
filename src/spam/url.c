/* SPDX-License-Identifier: ISC */
#include "spam/url.h"

#include <arpa/inet.h>

#include "base/cursor.h"
#include "base/encode.h"
#include "conf/domain_name.h"

enum { HOST_MAX = 253, PARTS = 4 };

static bool is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Behind the scheme and its slashes, of which browsers take any number, and backslashes too. */
static bool skip_scheme(str *url)
{
	static const str schemes[] = {STR("http:"), STR("https:"), STR("ftp:")};
	size_t i = 0;

	while (i < ARRAY_LEN(schemes) && !str_starts_nocase(*url, schemes[i]))
		i++;
	if (i < ARRAY_LEN(schemes))
		*url = str_drop(*url, schemes[i].n);
	else if (!str_starts(*url, STR("//")) && !str_starts_nocase(*url, STR("www.")))
		return false;
	while (url->n > 0 && is_slash(url->p[0]))
		*url = str_drop(*url, 1);
	return true;
}

static str take_authority(str url)
{
	size_t n = 0;

	while (n < url.n && !is_slash(url.p[n]) && url.p[n] != '?' && url.p[n] != '#')
		n++;
	return str_take(url, n);
}

/* Without the port. */
static str take_host(str authority)
{
	if (str_starts(authority, STR("["))) {
		size_t end = str_find(authority, ']');
		return end < authority.n ? str_take(authority, end + 1) : STR_NONE;
	}
	return str_take(authority, str_find(authority, ':'));
}

static str undo_percent(str host, char out[HOST_MAX])
{
	size_t n = 0;

	while (host.n > 0 && n < HOST_MAX) {
		int octet = host.p[0] == '%' ? hex_octet(str_drop(host, 1)) : -1;

		out[n++] = (char)(octet < 0 ? host.p[0] : octet);
		host = str_drop(host, octet < 0 ? 1 : 3);
	}
	return str_make(out, n);
}

/* --- addresses (WHATWG URL 3.5): numbers in base 8, 10 or 16, the last one fills what is left --- */

static bool read_number(str s, uint64_t *out)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (str_starts_nocase(s, STR("0x")))
		base = 16;
	else if (s.n > 1 && s.p[0] == '0')
		base = 8;
	s = str_drop(s, base == 16 ? 2 : base == 8);
	for (size_t i = 0; i < s.n; i++) {
		size_t digit = str_find(STR("0123456789abcdef"),
		                        s.p[i] >= 'A' && s.p[i] <= 'F' ? (char)(s.p[i] + 32) : s.p[i]);
		if (digit >= base || v > UINT32_MAX)
			return false;
		v = v * base + digit;
	}
	*out = v;
	return s.n > 0 || base != 10;
}

static bool read_v4(str host, uint32_t *out)
{
	uint64_t numbers[PARTS], address = 0;
	size_t n = 0;
	bool more = true;

	if (str_ends(host, STR(".")))
		host.n--;
	while (more && n < PARTS) {
		str part;
		more = str_cut(host, '.', &part, &host);
		if (!read_number(part, &numbers[n++]))
			return false;
	}
	if (more || n == 0 || numbers[n - 1] >= UINT64_C(1) << (8 * (PARTS + 1 - n)))
		return false;
	for (size_t i = 0; i + 1 < n; i++) {
		if (numbers[i] > 255)
			return false;
		address |= numbers[i] << (24 - 8 * i);
	}
	*out = (uint32_t)(address | numbers[n - 1]);
	return true;
}

static bool read_address(str host, struct arena *a, struct url_host *out)
{
	uint32_t v4 = 0;

	if (str_starts(host, STR("["))) {
		out->name = arena_lower(a, host);
	} else if (read_v4(host, &v4)) {
		out->name = arena_printf(a, "%u.%u.%u.%u", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255, v4 & 255);
	} else {
		return false;
	}
	out->address = true;
	return true;
}

str url_authority(str url)
{
	str rest = url;

	return skip_scheme(&rest) ? str_take(url, url.n - rest.n + take_authority(rest).n) : STR_NONE;
}

bool url_host(str url, struct arena *a, struct url_host *out)
{
	char memory[HOST_MAX];

	*out = (struct url_host){0};
	if (!skip_scheme(&url))
		return false;
	str authority = take_authority(url);
	size_t at = str_find_last(authority, '@');
	out->user = at < authority.n;
	if (out->user)
		authority = str_drop(authority, at + 1);
	str host = take_host(authority);
	if (host.n == 0 || host.n > HOST_MAX)
		return false;
	host = undo_percent(host, memory);
	if (read_address(host, a, out))
		return out->name.n > 0;
	if (str_ends(host, STR(".")))
		host.n--;
	if (str_find(host, '.') < host.n && domain_name_fold(host, a, &out->name) == OK)
		return true;
	*out = (struct url_host){0};
	return false;
}

/* --- in text --- */

static bool is_of_url(unsigned char c)
{
	return c > ' ' && c != '<' && c != '>' && c != '"' && c != 0x7f && c != ')' && c != ']';
}

/* May one begin with `c`, behind `before`? */
static bool may_begin(char c, char before)
{
	char lower = (char)(c | 0x20);

	return (lower == 'h' && before != '/') || (lower == 'w' && !is_of_url((unsigned char)before));
}

static bool begins_url(str s)
{
	return str_starts_nocase(s, STR("http://")) || str_starts_nocase(s, STR("https://")) ||
	       str_starts_nocase(s, STR("www."));
}

str url_next(str *text)
{
	char before = ' ';

	for (size_t at = 0; at < text->n; at++) {
		if (may_begin(text->p[at], before) && begins_url(str_drop(*text, at))) {
			struct cursor c = cursor_of(str_drop(*text, at));
			str url = cursor_take_while(&c, is_of_url);
			*text = cursor_rest(&c);
			return url;
		}
		before = text->p[at];
	}
	*text = STR_NONE;
	return STR_NONE;
}
