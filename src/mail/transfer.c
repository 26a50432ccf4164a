/* SPDX-License-Identifier: ISC */
#include "mail/transfer.h"

#include "base/encode.h"

enum { LINE = 76, BASE64_LINE_IN = 57, FOLD_AT = 78, LINE_MAX_OCTETS = 998 };
/* An encoded word has 75 octets at most; this many of text in it, as base64 (RFC 2047 2). */
enum { WORD_IN = 45, WORD_FRAME = 12 };

static const char hex[] = "0123456789ABCDEF";

/* --- bodies --- */

static bool is_plain(unsigned char c, bool line_ends_behind)
{
	if (c == ' ' || c == '\t')
		return !line_ends_behind;
	return c > ' ' && c < 0x7f && c != '=';
}

void transfer_quoted_printable(struct buf *out, str text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		str rest = str_drop(text, i + 1);

		if (c == '\r' && rest.n > 0 && rest.p[0] == '\n') {
			buf_puts(out, "\r\n");
			i++;
			column = 0;
			continue;
		}
		bool ends = rest.n == 0 || str_starts(rest, STR("\r\n"));
		size_t width = is_plain(c, ends) ? 1 : 3;
		if (column + width > (ends ? LINE : LINE - 1)) {
			buf_puts(out, "=\r\n");
			column = 0;
		}
		if (width == 1)
			buf_putc(out, (char)c);
		else
			buf_put(out, str_make((char[]){'=', hex[c >> 4], hex[c & 15]}, 3));
		column += width;
	}
}

void transfer_base64(struct buf *out, str octets)
{
	for (; octets.n > 0; octets = str_drop(octets, BASE64_LINE_IN)) {
		base64_encode(out, str_take(octets, BASE64_LINE_IN));
		buf_puts(out, "\r\n");
	}
}

/* --- header fields --- */

/* The next character as it may stand in a header: UTF-8 that is well-formed, a blank for controls. Takes it off `text`. */
static str next_character(str *text)
{
	uint32_t code;
	size_t n = str_utf8_char(*text, &code);
	str c = n == 0 ? STR("?") : str_take(*text, n);

	if (n == 1 && (code < ' ' || code == 0x7f))
		c = STR(" ");
	*text = str_drop(*text, n == 0 ? 1 : n);
	return c;
}

/* As much of `text` as fits into one encoded word. */
static void put_word(struct buf *out, str *text, size_t room)
{
	char word[WORD_IN];
	size_t n = 0;

	while (text->n > 0) {
		str before = *text, c = next_character(text);

		if (n + c.n > room) {
			*text = before;
			break;
		}
		memcpy(word + n, c.p, c.n);
		n += c.n;
	}
	buf_puts(out, "=?utf-8?B?");
	base64_encode(out, str_make(word, n));
	buf_puts(out, "?=");
}

/* Blanks between encoded words are not shown: a character is never torn, and nothing is lost where a word ends. */
static void put_words(struct buf *out, str text, size_t column)
{
	size_t left = column + WORD_FRAME < FOLD_AT - 8 ? (FOLD_AT - column - WORD_FRAME) / 4 * 3 : 0;

	if (left < 8) {
		buf_puts(out, "\r\n ");
		left = WORD_IN;
	}
	while (text.n > 0) {
		put_word(out, &text, left < WORD_IN ? left : WORD_IN);
		if (text.n > 0)
			buf_puts(out, "\r\n ");
		left = WORD_IN;
	}
}

/* One line's worth of printable ASCII, without what a reader would take for an encoded word, and no word too long to be folded. */
static bool can_stand(str text)
{
	size_t word = 0;

	for (size_t i = 0; i < text.n; i++) {
		word = text.p[i] == ' ' ? 0 : word + 1;
		if (text.p[i] < ' ' || text.p[i] > '~' || word > LINE_MAX_OCTETS - FOLD_AT)
			return false;
	}
	return !str_contains(text, STR("=?"));
}

static void put_folded(struct buf *out, str text, size_t column)
{
	while (text.n > 0) {
		size_t blanks = 0;
		while (blanks < text.n && text.p[blanks] == ' ')
			blanks++;
		size_t word = str_find(str_drop(text, blanks), ' ');
		/* A line of blanks alone would end the header for some. */
		if (column + blanks + word > FOLD_AT && blanks > 0 && word > 0 && column > 1) {
			buf_puts(out, "\r\n");
			column = 0;
		}
		buf_put(out, str_take(text, blanks + word));
		column += blanks + word;
		text = str_drop(text, blanks + word);
	}
}

void transfer_field(struct buf *out, str name, str text)
{
	text = str_trim(text);
	buf_put(out, name);
	buf_puts(out, ":");
	if (text.n > 0 && !can_stand(text)) {
		buf_puts(out, " ");
		put_words(out, text, name.n + 2);
	} else if (text.n > 0) {
		buf_puts(out, " ");
		put_folded(out, text, name.n + 2);
	}
	buf_puts(out, "\r\n");
}

static bool is_atom(str text)
{
	static const str more = STR("!#$%&'*+-/=?^_`{|}~ ");

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && str_find(more, c) == more.n)
			return false;
	}
	return true;
}

static void put_quoted(struct buf *out, str text)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, text.p[i]);
	}
	buf_putc(out, '"');
}

void transfer_phrase(struct buf *out, str text, size_t column)
{
	text = str_trim(text);
	if (!can_stand(text) || text.n > LINE_MAX_OCTETS / 2)
		put_words(out, text, column);
	else if (is_atom(text))
		buf_put(out, text);
	else
		put_quoted(out, text);
}
