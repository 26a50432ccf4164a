/* SPDX-License-Identifier: ISC */
#include "mail/mailbox_list.h"

#include "base/buf.h"
#include "base/cursor.h"
#include "mail/address.h"

/* RFC 5322 3.2.3: what ends an atom. Control characters do too. */
#define SPECIALS "()<>[]:;@\\,.\""

enum { ADDRESS_MAX = 512 };

struct parse {
	struct cursor c;
	struct arena *arena;
	struct mailbox_list *out;
	bool too_many;
};

/* Words that may be a display name, or the local part of an address: known only at what follows. */
struct words {
	struct buf local; /* as a local part: without blanks and comments */
	size_t n;         /* words and dots */
	bool is_local;    /* words and dots take turns */
};

static bool is_atom_octet(unsigned char c)
{
	return c > ' ' && c != 0x7f && str_find(STR(SPECIALS), (char)c) == sizeof(SPECIALS) - 1;
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Any octet, which is there. */
static void skip_octet(struct cursor *c)
{
	(void)cursor_u8(c);
}

/* The octet behind a backslash (RFC 5322 3.2.1), which is no control character. */
static void quoted_pair(struct cursor *c)
{
	if (cursor_peek(c) < ' ')
		cursor_fail(c);
	skip_octet(c);
}

/* At its opening bracket; comments are nested (RFC 5322 3.2.2). */
static void comment(struct cursor *c)
{
	size_t depth = 0;

	do {
		if (cursor_accept(c, '('))
			depth++;
		else if (cursor_accept(c, ')'))
			depth--;
		else if (cursor_accept(c, '\\'))
			quoted_pair(c);
		else
			skip_octet(c); /* fails at the end */
	} while (depth > 0 && !c->failed);
}

static void blanks(struct cursor *c)
{
	for (;;) {
		cursor_take_while(c, is_blank);
		if (cursor_peek(c) != '(')
			return;
		comment(c);
	}
}

/* With its quotes. Line ends of folding are not part of it (RFC 5322 3.2.4). */
static void quoted_string(struct cursor *c, struct buf *out)
{
	cursor_expect(c, '"');
	buf_putc(out, '"');
	while (!c->failed && !cursor_accept(c, '"')) {
		if (cursor_accept(c, '\r') || cursor_accept(c, '\n'))
			continue;
		bool pair = cursor_accept(c, '\\');
		str octet = cursor_bytes(c, 1);
		if (pair)
			buf_putc(out, '\\');
		buf_put(out, octet);
	}
	buf_putc(out, '"');
}

/* False: no word follows. */
static bool word(struct cursor *c, struct buf *out)
{
	blanks(c);
	if (cursor_peek(c) == '"') {
		quoted_string(c, out);
		return true;
	}
	str atom = cursor_take_while(c, is_atom_octet);
	buf_put(out, atom);
	return atom.n > 0;
}

/* As many as there are. */
static void words(struct cursor *c, struct words *w)
{
	bool dot = true, was_dot;

	for (w->is_local = true;; w->n++) {
		was_dot = dot;
		blanks(c);
		dot = cursor_accept(c, '.');
		if (dot)
			buf_putc(&w->local, '.');
		else if (!word(c, &w->local))
			break;
		w->is_local = w->is_local && dot != was_dot;
	}
	w->is_local = w->is_local && w->n > 0 && !was_dot;
}

static void domain_literal(struct cursor *c, struct buf *out)
{
	buf_put(out, cursor_take_until(c, ']'));
	cursor_expect(c, ']');
	buf_putc(out, ']');
}

static void domain_name(struct cursor *c, struct buf *out)
{
	for (;;) {
		blanks(c);
		str label = cursor_take_while(c, is_atom_octet);
		if (label.n == 0)
			cursor_fail(c);
		buf_put(out, label);
		blanks(c);
		if (!cursor_accept(c, '.'))
			return;
		buf_putc(out, '.');
	}
}

static void domain(struct cursor *c, struct buf *out)
{
	blanks(c);
	if (cursor_peek(c) == '[')
		domain_literal(c, out);
	else
		domain_name(c, out);
}

static void add(struct parse *p, str text)
{
	struct address address;

	if (p->c.failed)
		return;
	if (p->out->n == MAILBOX_LIST_MAX)
		p->too_many = true;
	if (p->too_many || address_parse(text, true, &address) != OK)
		cursor_fail(&p->c);
	else
		p->out->addresses[p->out->n++] = arena_str(p->arena, text);
}

/* The local part is in `text`, an "@" follows. */
static void domain_and_add(struct parse *p, struct buf *text)
{
	cursor_expect(&p->c, '@');
	buf_putc(text, '@');
	domain(&p->c, text);
	if (text->full)
		cursor_fail(&p->c);
	add(p, buf_str(text));
}

/* obs-route = obs-domain-list ":" (RFC 5322 4.4), which nobody follows. */
static void route(struct cursor *c)
{
	BUF(dropped, ADDRESS_MAX);

	while (cursor_peek(c) == '@' || cursor_peek(c) == ',') {
		if (!cursor_accept(c, ',')) {
			cursor_expect(c, '@');
			domain(c, &dropped);
		}
		blanks(c);
	}
	cursor_expect(c, ':');
}

/* At "<". */
static void angle(struct parse *p)
{
	struct words w = {.local = BUF_INIT(ADDRESS_MAX)};

	cursor_expect(&p->c, '<');
	blanks(&p->c);
	if (cursor_peek(&p->c) == '@')
		route(&p->c);
	words(&p->c, &w);
	if (!w.is_local)
		cursor_fail(&p->c);
	domain_and_add(p, &w.local);
	blanks(&p->c);
	cursor_expect(&p->c, '>');
	buf_free(&w.local);
}

/* Up to the comma. True: it was the opening of a group. */
static bool entry(struct parse *p)
{
	struct words w = {.local = BUF_INIT(64 << 10)};
	bool group = false;

	words(&p->c, &w);
	int next = cursor_peek(&p->c);
	if (next == '<')
		angle(p);
	else if (next == '@' && w.is_local)
		domain_and_add(p, &w.local);
	else if (next == ':' && w.n > 0)
		group = cursor_accept(&p->c, ':');
	else if (w.n > 0)
		cursor_fail(&p->c); /* a name without an address */
	blanks(&p->c);
	buf_free(&w.local);
	return group;
}

static void list(struct parse *p)
{
	bool in_group = false;

	while (!cursor_end(&p->c)) {
		if (entry(p)) {
			if (in_group)
				cursor_fail(&p->c); /* groups hold no groups */
			in_group = true;
			continue;
		}
		if (in_group && cursor_accept(&p->c, ';')) {
			in_group = false;
			blanks(&p->c);
		}
		if (!cursor_end(&p->c))
			cursor_expect(&p->c, ',');
	}
	if (in_group)
		cursor_fail(&p->c);
}

err mailbox_list_parse(str value, struct arena *a, struct mailbox_list *out)
{
	struct parse p = {.c = cursor_of(value), .arena = a, .out = out};

	*out = (struct mailbox_list){.addresses = arena_array(a, MAILBOX_LIST_MAX, sizeof(str))};
	if (out->addresses != NULL)
		list(&p);
	if (p.too_many || a->full)
		return err_note(E_LIMIT, "more than %d addresses in one field", MAILBOX_LIST_MAX);
	return p.c.failed ? err_note(E_SYNTAX, "not a list of addresses") : OK;
}
