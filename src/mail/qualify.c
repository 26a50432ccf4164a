/* SPDX-License-Identifier: ISC */
#include "mail/qualify.h"

#include "base/cursor.h"

/* A quoted string or a comment, with its end; quoted pairs and nested comments within. */
static str take_enclosed(struct cursor *c, char open, char close)
{
	str all = cursor_rest(c);
	size_t depth = 0, n = 0;

	do {
		char ch = all.p[n++];

		if (ch == '\\' && n < all.n)
			n++;
		else if (ch == close)
			depth--;
		else if (ch == open)
			depth++;
	} while (depth > 0 && n < all.n);
	return cursor_bytes(c, n);
}

static str take_part(struct cursor *c)
{
	int ch = cursor_peek(c);

	if (ch == '(')
		return take_enclosed(c, '(', ')');
	if (ch != '"')
		return cursor_bytes(c, 1);
	str rest = cursor_rest(c);
	size_t n = 1;
	while (n < rest.n && rest.p[n] != '"')
		n += rest.p[n] == '\\' ? 2 : 1;
	return cursor_bytes(c, n < rest.n ? n + 1 : rest.n);
}

/* One address up to the comma, and where in it its bare local part ends. */
struct piece {
	str text;
	size_t end;     /* of the last octet of the address, in or without <> */
	bool qualified; /* it has a domain, or it is none */
};

static void look_at_part(struct piece *p, str part, bool *angle, bool *words)
{
	char ch = part.p[0];

	if (ch == '<') {
		*angle = true;
		p->end = 0;
		p->qualified = *words = false;
	} else if (ch == '@' || ch == ':' || ch == ';') {
		p->qualified = true;
	} else if (ch == '>') {
		*angle = false;
		*words = true; /* nothing behind counts */
	} else if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n' || ch == '(') {
		*words = *words || (p->end > 0 && !*angle);
	} else if (!*words) {
		p->end = p->text.n + part.n;
	} else if (!*angle && p->text.n > 0 && str_find(p->text, '<') == p->text.n) {
		p->qualified = true; /* several words, perhaps a name in front of <> */
	}
}

static struct piece take_piece(struct cursor *c)
{
	struct piece p = {.text = str_take(cursor_rest(c), 0)};
	bool angle = false, words = false;

	while (!cursor_end(c) && (cursor_peek(c) != ',' || angle)) {
		str part = take_part(c);

		look_at_part(&p, part, &angle, &words);
		p.text.n += part.n;
	}
	return p;
}

void qualify_addresses(struct buf *out, str value, str domain)
{
	struct cursor c = cursor_of(value);

	do {
		struct piece p = take_piece(&c);

		buf_put(out, str_take(p.text, p.end));
		if (p.end > 0 && !p.qualified) {
			buf_putc(out, '@');
			buf_put(out, domain);
		}
		buf_put(out, str_drop(p.text, p.end));
		if (!cursor_accept(&c, ','))
			return;
		buf_putc(out, ',');
	} while (true);
}
