/* SPDX-License-Identifier: ISC */
#include "scan/milter_edit.h"

#include "mail/address.h"
#include "mail/header.h"

enum { FIELDS_MAX = 20000, NAME_OCTETS_MAX = 100, RCPTS_MAX = 10000, REASON_MAX = 200, HEADERS_ROOM = 2 << 20 };

void milter_edits_init(struct milter_edits *m, struct arena *a, size_t body_max)
{
	m->arena = a;
	m->n = m->octets = 0;
	m->new_body = m->leading_blanks = false;
	m->body = BUF_INIT(body_max);
}

void milter_edits_free(struct milter_edits *m)
{
	buf_free(&m->body);
}

/* --- one packet --- */

static bool is_field_name(str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':')
			return false;
	return name.n > 0 && name.n <= NAME_OCTETS_MAX;
}

static err add(struct milter_edits *m, char kind, uint32_t index, str name, str value)
{
	if (m->n == MILTER_EDITS_MAX)
		return err_note(E_LIMIT, "it wants more than %d changes", MILTER_EDITS_MAX);
	m->octets += name.n + value.n;
	if (m->octets > MILTER_EDITS_OCTETS_MAX)
		return err_note(E_LIMIT, "it wants changes of more than %d octets", MILTER_EDITS_OCTETS_MAX);
	m->items[m->n++] = (struct milter_edit){kind, index, arena_str(m->arena, name), arena_str(m->arena, value)};
	return m->arena->full ? err_note(E_LIMIT, "no memory for its changes") : OK;
}

static err add_header(struct milter_edits *m, const struct milter_packet *p)
{
	struct cursor c = cursor_of(p->data);
	uint32_t index = p->kind == MILTER_ADD_HEADER ? 0 : milter_u32(&c);
	str name = milter_string(&c), value = milter_string(&c);

	if (c.failed || !cursor_end(&c) || !is_field_name(name))
		return err_note(E_SYNTAX, "it wants a malformed header field");
	return add(m, p->kind, index, name, value);
}

static bool is_address(str text, bool null_allowed)
{
	struct address a;

	return text.n == 0 ? null_allowed : address_parse(text, true, &a) == OK;
}

static err add_address(struct milter_edits *m, const struct milter_packet *p)
{
	struct cursor c = cursor_of(p->data);
	str text = str_trim(milter_string(&c));

	if (str_starts(text, STR("<")) && str_ends(text, STR(">")))
		text = str_drop(str_take(text, text.n - 1), 1);
	if (c.failed || !is_address(text, p->kind == MILTER_CHANGE_SENDER))
		return err_note(E_SYNTAX, "it wants a malformed address");
	return add(m, p->kind, 0, STR(""), text);
}

static err add_body(struct milter_edits *m, const struct milter_packet *p)
{
	m->new_body = true;
	buf_put(&m->body, p->data);
	return m->body.full ? err_note(E_LIMIT, "its message is too large") : OK;
}

static err add_quarantine(struct milter_edits *m, const struct milter_packet *p)
{
	struct cursor c = cursor_of(p->data);
	str reason = milter_string(&c);

	return c.failed ? err_note(E_SYNTAX, "it gives a malformed reason")
	                : add(m, p->kind, 0, STR(""), program_words(m->arena, reason, REASON_MAX));
}

err milter_edits_add(struct milter_edits *m, const struct milter_packet *p)
{
	switch (p->kind) {
	case MILTER_ADD_HEADER:
	case MILTER_INSERT_HEADER:
	case MILTER_CHANGE_HEADER:
		return add_header(m, p);
	case MILTER_CHANGE_SENDER:
	case MILTER_ADD_RCPT:
	case MILTER_ADD_RCPT_PAR:
	case MILTER_DELETE_RCPT:
		return add_address(m, p);
	case MILTER_REPLACE_BODY:
		return add_body(m, p);
	case MILTER_QUARANTINE:
		return add_quarantine(m, p);
	default:
		return E_NOT_FOUND;
	}
}

/* --- the header --- */

struct fields {
	struct header_field *items;
	size_t n, room;
	struct arena *arena;
	bool leading_blanks;
};

static err fields_read(struct fields *f, str message, size_t more, size_t *end)
{
	struct header_field one;
	size_t at = 0, n = 0;

	while (header_next(message, &at, &one))
		n++;
	if (n > FIELDS_MAX)
		return err_note(E_LIMIT, "the message has too many header fields to change them");
	f->room = n + more;
	f->items = arena_array(f->arena, f->room, sizeof(*f->items));
	if (f->items == NULL)
		return err_note(E_LIMIT, "no memory for the header");
	for (at = 0; header_next(message, &at, &one);)
		f->items[f->n++] = one;
	*end = at;
	return OK;
}

/* Whatever its value is, it stays one field: lines behind the first are folded, other controls go. */
static struct header_field field_of(const struct fields *f, const struct milter_edit *e)
{
	BUF(text, HEADERS_ROOM);

	buf_put(&text, e->name);
	buf_puts(&text, f->leading_blanks ? ":" : ": ");
	for (size_t i = 0; i < e->value.n; i++) {
		char c = e->value.p[i], next = i + 1 < e->value.n ? e->value.p[i + 1] : '\0';

		if (c == '\n')
			buf_puts(&text, next == ' ' || next == '\t' ? "\r\n" : "\r\n\t");
		else if (c == '\t' || (unsigned char)c >= ' ')
			buf_putc(&text, c);
	}
	buf_puts(&text, "\r\n");
	return (struct header_field){.name = e->name, .whole = arena_str(f->arena, buf_str(&text))};
}

static void insert(struct fields *f, size_t at, struct header_field field)
{
	if (f->n == f->room)
		return;
	if (at > f->n)
		at = f->n;
	for (size_t i = f->n; i > at; i--)
		f->items[i] = f->items[i - 1];
	f->items[at] = field;
	f->n++;
}

static void remove_at(struct fields *f, size_t at)
{
	for (size_t i = at; i + 1 < f->n; i++)
		f->items[i] = f->items[i + 1];
	f->n--;
}

/* The index counts from 1, among those of this name; no value: it goes; no such field: it is added. */
static void change(struct fields *f, const struct milter_edit *e)
{
	uint32_t left = e->index == 0 ? 1 : e->index;
	size_t at = 0;

	while (at < f->n && !(str_equal_nocase(f->items[at].name, e->name) && --left == 0))
		at++;
	if (at == f->n) {
		if (e->value.n > 0)
			insert(f, f->n, field_of(f, e));
	} else if (e->value.n == 0) {
		remove_at(f, at);
	} else {
		f->items[at] = field_of(f, e);
	}
}

static bool change_fields(struct fields *f, const struct milter_edits *m)
{
	bool changed = false;

	for (size_t i = 0; i < m->n; i++) {
		const struct milter_edit *e = &m->items[i];

		if (e->kind == MILTER_ADD_HEADER)
			insert(f, f->n, field_of(f, e));
		else if (e->kind == MILTER_INSERT_HEADER)
			insert(f, e->index, field_of(f, e));
		else if (e->kind == MILTER_CHANGE_HEADER)
			change(f, e);
		else
			continue;
		changed = true;
	}
	return changed;
}

/* --- the message --- */

/* Every line ends with CRLF, whatever the milter has (RFC 5321 2.3.8). */
static void put_lines(struct buf *out, str text)
{
	while (text.n > 0) {
		size_t n = 0;
		while (n < text.n && text.p[n] != '\n' && text.p[n] != '\r')
			n++;
		buf_put(out, str_take(text, n));
		text = str_drop(text, n);
		if (text.n == 0)
			break;
		buf_puts(out, "\r\n");
		text = str_drop(text, str_starts(text, STR("\r\n")) ? 2 : 1);
	}
}

static void put_message(const struct milter_edits *m, const struct fields *f, str rest, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++) {
		buf_put(out, f->items[i].whole);
		if (!str_ends(f->items[i].whole, STR("\n")))
			buf_puts(out, "\r\n");
	}
	if (!m->new_body)
		return buf_put(out, rest);
	buf_puts(out, "\r\n");
	put_lines(out, buf_str(&m->body));
}

static err make_message(const struct milter_edits *m, const struct scan_message *message, struct program_answer *out)
{
	struct fields f = {.arena = m->arena, .leading_blanks = m->leading_blanks};
	str bytes = message->body.bytes;
	BUF(made, bytes.n + 2 * m->body.n + HEADERS_ROOM);
	size_t end = 0;
	err e = fields_read(&f, bytes, m->n, &end);

	if (e != OK || (!change_fields(&f, m) && !m->new_body))
		return e;
	put_message(m, &f, str_drop(bytes, end), &made);
	if (made.full || m->arena->full)
		return err_note(E_LIMIT, "no memory for the changed message");
	out->changed |= CHANGED_BODY;
	return body_make("message", buf_str(&made), m->arena, &out->now.body);
}

/* --- the envelope --- */

static void remove_rcpt(struct scan_message *now, str address)
{
	size_t kept = 0;

	for (size_t i = 0; i < now->rcpts_n; i++)
		if (!str_equal_nocase(now->rcpts[i].address, address))
			now->rcpts[kept++] = now->rcpts[i];
	now->rcpts_n = kept;
}

static err change_rcpts(const struct milter_edits *m, const struct scan_message *message, struct program_answer *out)
{
	struct scan_message *now = &out->now;

	now->rcpts = arena_array(m->arena, message->rcpts_n + m->n, sizeof(*now->rcpts));
	if (now->rcpts == NULL)
		return err_note(E_LIMIT, "no memory for recipients");
	now->rcpts_n = message->rcpts_n;
	for (size_t i = 0; i < message->rcpts_n; i++)
		now->rcpts[i] = message->rcpts[i];
	for (size_t i = 0; i < m->n; i++) {
		const struct milter_edit *e = &m->items[i];

		if (e->kind == MILTER_DELETE_RCPT)
			remove_rcpt(now, e->value);
		else if ((e->kind == MILTER_ADD_RCPT || e->kind == MILTER_ADD_RCPT_PAR) && now->rcpts_n < RCPTS_MAX)
			now->rcpts[now->rcpts_n++] = (struct rcpt){.address = e->value};
		else
			continue;
		out->changed |= CHANGED_RCPTS;
	}
	return OK;
}

err milter_edits_apply(const struct milter_edits *m, const struct scan_message *message, struct arena *a,
                       struct program_answer *out)
{
	err e = make_message(m, message, out);

	if (e == OK)
		e = change_rcpts(m, message, out);
	for (size_t i = 0; i < m->n && e == OK; i++) {
		if (m->items[i].kind == MILTER_CHANGE_SENDER) {
			out->now.sender = m->items[i].value;
			out->changed |= CHANGED_SENDER;
		} else if (m->items[i].kind == MILTER_QUARANTINE) {
			out->action = SCAN_QUARANTINE;
			out->evidence = arena_printf(a, "quarantine: " STR_FMT, STR_ARG(m->items[i].value));
		}
	}
	if (e != OK)
		body_release(&out->now.body);
	return e;
}
