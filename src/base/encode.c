/* SPDX-License-Identifier: ISC */
#include "base/encode.h"

#include "base/cursor.h"

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void base64_group(char to[4], uint32_t bits, size_t digits)
{
	for (size_t i = 0; i < 4; i++)
		to[i] = i < digits ? base64_digits[bits >> (18 - 6 * i) & 0x3f] : '=';
}

void base64_encode(struct buf *out, str in)
{
	size_t n = in.n > SIZE_MAX / 2 ? SIZE_MAX : (in.n + 2) / 3 * 4;
	const unsigned char *p = (const unsigned char *)in.p;
	char *to = buf_reserve(out, n);

	if (to == NULL)
		return;
	size_t left = in.n;
	for (; left >= 3; left -= 3, p += 3, to += 4)
		base64_group(to, (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], 4);
	if (left > 0)
		base64_group(to, (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0), left + 1);
	buf_commit(out, n);
}

/* The digit's value, 64 when it is none. */
static uint32_t base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0' + 52);
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Decodes `digits` (2 to 4) of a group to digits - 1 bytes. RFC 4648 3.5: the bits left over must be zero. */
static bool base64_ungroup(char *to, const char *from, size_t digits)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		uint32_t v = i < digits ? base64_value(from[i]) : 0;
		if (v > 63)
			return false;
		bits = bits << 6 | v;
	}
	for (size_t i = 0; i + 1 < digits; i++, bits = bits << 8 & 0xffffff)
		to[i] = (char)(bits >> 16);
	return bits == 0 || digits == 4;
}

static size_t base64_padding(str in)
{
	return in.n == 0 || in.p[in.n - 1] != '=' ? 0 : in.p[in.n - 2] == '=' ? 2 : 1;
}

err base64_decode(struct buf *out, str in)
{
	if (in.n % 4 != 0)
		return err_note(E_SYNTAX, "base64: length is no multiple of four");
	size_t padding = base64_padding(in);
	size_t n = in.n / 4 * 3 - padding;
	char *to = buf_reserve(out, n);
	if (to == NULL)
		return err_note(E_LIMIT, "base64: more than %zu bytes", out->cap);
	for (size_t at = 0; at < in.n; at += 4, to += 3)
		if (!base64_ungroup(to, in.p + at, at + 4 == in.n ? 4 - padding : 4))
			return err_note(E_SYNTAX, "base64: malformed at byte %zu", at);
	buf_commit(out, n);
	return OK;
}

void hex_encode(struct buf *out, str in)
{
	char *to = buf_reserve(out, in.n > SIZE_MAX / 2 ? SIZE_MAX : in.n * 2);

	if (to == NULL)
		return;
	for (size_t i = 0; i < in.n; i++) {
		*to++ = hex_lower[(unsigned char)in.p[i] >> 4];
		*to++ = hex_lower[(unsigned char)in.p[i] & 0xf];
	}
	buf_commit(out, in.n * 2);
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_octet(str s)
{
	int high = s.n > 1 ? hex_digit(s.p[0]) : -1, low = s.n > 1 ? hex_digit(s.p[1]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

str percent_decode(struct arena *a, str in)
{
	char *to = arena_octets(a, in.n);
	size_t n = 0;

	while (in.n > 0 && to != NULL) {
		bool escape = in.p[0] == '%';
		int octet = escape ? hex_octet(str_drop(in, 1)) : (unsigned char)in.p[0];

		if (octet < 0)
			return STR_NONE;
		to[n++] = (char)octet;
		in = str_drop(in, escape ? 3 : 1);
	}
	return to == NULL ? STR_NONE : str_make(to, n);
}

/* RFC 3461 4: xchar is any character from "!" to "~" except "+" and "=". */
static bool is_xchar(unsigned char c)
{
	return c >= '!' && c <= '~' && c != '+' && c != '=';
}

void xtext_encode(struct buf *out, str in)
{
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];
		if (is_xchar(c))
			buf_putc(out, (char)c);
		else
			buf_put(out, str_make((char[]){'+', hex_upper[c >> 4], hex_upper[c & 0xf]}, 3));
	}
}

/* RFC 3461 4: hexchar has two upper-case digits. */
static unsigned take_hex_digit(struct cursor *c)
{
	int ch = cursor_peek(c);

	if (ch >= '0' && ch <= '9') {
		c->p++;
		return (unsigned)(ch - '0');
	}
	if (ch >= 'A' && ch <= 'F') {
		c->p++;
		return (unsigned)(ch - 'A' + 10);
	}
	cursor_fail(c);
	return 0;
}

static void xtext_take(struct buf *out, struct cursor *c)
{
	buf_put(out, cursor_take_while(c, is_xchar));
	if (cursor_end(c))
		return;
	cursor_expect(c, '+');
	unsigned high = take_hex_digit(c);
	unsigned byte = high << 4 | take_hex_digit(c);
	if (byte < 0x20 || byte == 0x7f)
		cursor_fail(c);
	if (!c->failed)
		buf_putc(out, (char)byte);
}

err xtext_decode(struct buf *out, str in)
{
	struct cursor c = cursor_of(in);

	while (!cursor_end(&c))
		xtext_take(out, &c);
	if (c.failed)
		return err_note(E_SYNTAX, "malformed xtext");
	return out->full ? err_note(E_LIMIT, "xtext: more than %zu bytes", out->cap) : OK;
}

str id_text(uint64_t id, char out[ID_TEXT_MAX])
{
	size_t at = ID_TEXT_MAX - 1;

	out[at] = '\0';
	do {
		out[--at] = crockford[id & 31];
		id >>= 5;
	} while (id > 0);
	size_t n = ID_TEXT_MAX - 1 - at;
	memmove(out, out + at, n + 1);
	return str_make(out, n);
}

/* The digit's value, 32 when it is none. Letters that are easily taken for digits are read as these. */
static unsigned crockford_value(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - ('a' - 'A'));
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	return (unsigned)str_find(str_make(crockford, 32), c);
}

bool id_parse(str text, uint64_t *id)
{
	uint64_t v = 0;

	if (text.n == 0 || text.n >= ID_TEXT_MAX)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		unsigned digit = crockford_value(text.p[i]);
		if (digit > 31 || v >> 59 != 0)
			return false;
		v = v << 5 | digit;
	}
	*id = v;
	return true;
}

/* C1 controls steer terminals as C0 do; direction marks, line and paragraph separators reorder or break what is shown. */
static bool is_deceptive(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == '\\' || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xfeff;
}

static void put_escaped(struct buf *out, str bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		buf_put(out, str_make((char[]){'\\', 'x', hex_lower[c >> 4], hex_lower[c & 0xf]}, 4));
	}
}

void escape_text(struct buf *out, str in)
{
	while (in.n > 0) {
		uint32_t code = 0;
		size_t n = str_utf8_char(in, &code);
		if (n == 0)
			put_escaped(out, str_take(in, n = 1));
		else if (is_deceptive(code))
			put_escaped(out, str_take(in, n));
		else
			buf_put(out, str_take(in, n));
		in = str_drop(in, n);
	}
}

static void json_char(struct buf *out, uint32_t code, str bytes)
{
	if (code == '"' || code == '\\') {
		buf_putc(out, '\\');
		buf_putc(out, (char)code);
	} else if (code == '\n') {
		buf_put(out, STR("\\n"));
	} else if (is_deceptive(code)) {
		buf_printf(out, "\\u%04x", code);
	} else {
		buf_put(out, bytes);
	}
}

void json_quote(struct buf *out, str in)
{
	buf_putc(out, '"');
	while (in.n > 0) {
		uint32_t code = 0;
		size_t n = str_utf8_char(in, &code);
		if (n == 0) {
			buf_put(out, STR("\\ufffd"));
			n = 1;
		} else {
			json_char(out, code, str_take(in, n));
		}
		in = str_drop(in, n);
	}
	buf_putc(out, '"');
}
