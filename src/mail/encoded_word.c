/* SPDX-License-Identifier: ISC */
#include "mail/encoded_word.h"

#include "mail/charset.h"
#include "mail/transfer_undo.h"

enum { WORD_MAX = 1000 }; /* octets; RFC 2047 2 says 75, some write more */

struct word {
	str charset, text;
	bool base64;
	size_t size; /* octets of the whole */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "=?charset?B?text?=" at the beginning of `s`. */
static bool read_word(str s, struct word *out)
{
	str rest = str_take(s, WORD_MAX), kind, language;

	if (!str_starts(rest, STR("=?")))
		return false;
	rest = str_drop(rest, 2);
	if (!str_cut(rest, '?', &out->charset, &rest) || !str_cut(rest, '?', &kind, &rest) || kind.n != 1)
		return false;
	(void)str_cut(out->charset, '*', &out->charset, &language);
	out->base64 = kind.p[0] == 'B' || kind.p[0] == 'b';
	if (!out->base64 && kind.p[0] != 'Q' && kind.p[0] != 'q')
		return false;
	size_t end = str_find(rest, '?');
	out->text = str_take(rest, end);
	if (!str_starts(str_drop(rest, end), STR("?=")) || str_find(out->text, '\n') < end)
		return false;
	out->size = (size_t)(rest.p - s.p) + end + 2;
	return true;
}

bool encoded_words_any(str value)
{
	struct word w;

	for (size_t at = str_find(value, '='); at < value.n; at += 1 + str_find(str_drop(value, at + 1), '='))
		if (read_word(str_drop(value, at), &w))
			return true;
	return false;
}

/* Whatever an encoded word may hide: no line end, no control. */
static void put_line(struct buf *out, str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c != '\r' && c != '\n')
			buf_putc(out, c < ' ' || c == 0x7f ? ' ' : (char)c);
	}
}

/* Words side by side in one charset are decoded together: some tear characters apart between them. */
struct run {
	struct buf octets;
	str charset;
};

static void end_run(struct run *r, struct buf *out)
{
	BUF(text, 4 * WORD_MAX + 4 * r->octets.n);

	if (r->octets.n > 0) {
		(void)charset_to_utf8(&text, r->charset, buf_str(&r->octets));
		put_line(out, buf_str(&text));
	}
	buf_reset(&r->octets);
	r->charset = STR_NONE;
}

static void put_word(struct run *r, const struct word *w, struct buf *out)
{
	err e;

	if (!str_equal_nocase(r->charset, w->charset))
		end_run(r, out);
	r->charset = w->charset;
	e = w->base64 ? transfer_undo(&r->octets, STR("base64"), w->text) : transfer_undo_q(&r->octets, w->text);
	(void)e; /* what could be read of it */
}

static size_t blanks_at(str s)
{
	size_t n = 0;

	while (n < s.n && is_blank(s.p[n]))
		n++;
	return n;
}

/* What is no encoded word, up to where the next one could begin. */
static str take_plain(str *rest)
{
	size_t skip = rest->p[0] == '=', n = skip + str_find(str_drop(*rest, skip), '=');
	str plain = str_take(*rest, n);

	*rest = str_drop(*rest, n);
	return plain;
}

static void put_plain(struct buf *out, str plain)
{
	BUF(text, 4 * plain.n + 4);

	if (str_is_ascii(plain)) {
		put_line(out, plain);
		return;
	}
	(void)charset_to_utf8(&text, STR_NONE, plain);
	put_line(out, buf_str(&text));
}

void encoded_words_decode(struct buf *out, str value)
{
	struct run r = {.octets = BUF_INIT(value.n + WORD_MAX)};
	struct word w;
	str rest = str_trim(value);

	while (rest.n > 0 && !out->full) {
		size_t blanks = r.charset.n > 0 ? blanks_at(rest) : 0;
		if (read_word(str_drop(rest, blanks), &w)) {
			put_word(&r, &w, out);
			rest = str_drop(rest, blanks + w.size);
			continue;
		}
		end_run(&r, out);
		put_plain(out, take_plain(&rest));
	}
	end_run(&r, out);
	buf_free(&r.octets);
}
