/* SPDX-License-Identifier: ISC */
#include "cli/send_letter.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/encode.h"
#include "cli/unix_user.h"
#include "mail/header.h"
#include "mail/mailbox_list.h"
#include "rt/file.h"

enum { MESSAGE_MAX = 1 << 30, BOUNDARY_RANDOM = 18 };

/* --- what is read --- */

static err read_standard_input(struct buf *out)
{
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Type the text; a line with Ctrl-D alone ends it.\n");
	for (;;) {
		char *to = buf_reserve(out, 64 << 10);
		ssize_t n = to == NULL ? -1 : read(STDIN_FILENO, to, 64 << 10);

		if (to == NULL)
			return err_note(E_LIMIT, "the text is too large");
		if (n < 0)
			return err_note(E_IO, "standard input: %s", strerror(errno));
		if (n == 0)
			return OK;
		buf_commit(out, (size_t)n);
	}
}

static err read_body(const struct send_options *o, struct buf *out)
{
	bool standard = o->body == NULL || strcmp(o->body, "-") == 0;

	return standard ? read_standard_input(out) : file_read_whole(o->body, out);
}

static str base_name(str path)
{
	size_t slash = str_find_last(path, '/');

	return slash == path.n ? path : str_drop(path, slash + 1);
}

static err read_attachments(const struct send_options *o, struct compose *m, struct arena *a)
{
	struct compose_attachment *items = arena_array(a, o->attachments.n, sizeof(*items));

	if (items == NULL)
		return err_note(E_MEMORY, "out of memory");
	for (size_t i = 0; i < o->attachments.n; i++) {
		BUF(content, MESSAGE_MAX);
		const char *path = o->attachments.items[i];
		err e = file_read_whole(path, &content);

		if (e != OK)
			return e;
		items[i] = (struct compose_attachment){.name = base_name(str_from(path)), .content = arena_str(a, buf_str(&content))};
	}
	m->attachments = items;
	m->attachments_n = o->attachments.n;
	return a->full ? err_note(E_LIMIT, "the attachments are too large") : OK;
}

/* --- recipients --- */

static err add_rcpt(struct send_letter *l, const struct send_options *o, str address)
{
	for (size_t i = 0; i < l->rcpts_n; i++)
		if (str_equal(l->rcpts[i].address, address))
			return OK;
	if (l->rcpts_n == SEND_LIST_MAX)
		return err_note(E_LIMIT, "more than %d recipients", SEND_LIST_MAX);
	l->rcpts[l->rcpts_n++] = (struct smtp_send_rcpt){.address = address, .notify = o->notify};
	return OK;
}

static err read_people(const struct send_list *list, struct send_letter *l, const struct send_options *o, struct compose_person **out,
                       struct arena *a)
{
	struct compose_person *people = arena_array(a, list->n, sizeof(*people));
	err e = people == NULL ? err_note(E_MEMORY, "out of memory") : OK;

	for (size_t i = 0; i < list->n && e == OK; i++) {
		e = compose_person(str_from(list->items[i]), a, &people[i]);
		if (e == OK)
			e = add_rcpt(l, o, people[i].address);
	}
	*out = people;
	return e;
}

/* Whoever a whole message names, when the command line names nobody. */
static err add_of_header(struct send_letter *l, const struct send_options *o, str message, struct arena *a)
{
	static const str names[] = {STR("To"), STR("Cc"), STR("Bcc")};
	struct mailbox_list list;
	struct header_field f;
	size_t at = 0;
	err e = OK;

	while (e == OK && header_next(message, &at, &f)) {
		bool wanted = false;

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			wanted = wanted || str_equal_nocase(f.name, names[i]);
		if (!wanted)
			continue;
		e = mailbox_list_parse(f.value, a, &list) == OK ? OK : err_note(E_SYNTAX, STR_FMT ": there is no list of addresses", STR_ARG(f.name));
		for (size_t i = 0; e == OK && i < list.n; i++)
			e = add_rcpt(l, o, list.addresses[i]);
	}
	return e;
}

/* --- the message --- */

static str random_text(struct arena *a, const char *fmt, str last)
{
	unsigned char random[BOUNDARY_RANDOM];
	BUF(text, 100);

	rt_random(random, sizeof(random));
	hex_encode(&text, str_make((const char *)random, sizeof(random)));
	return arena_printf(a, fmt, STR_ARG(buf_str(&text)), STR_ARG(last));
}

static str domain_of(str address)
{
	size_t at = str_find_last(address, '@');

	return str_drop(address, at + 1);
}

static err fields_of(const struct send_options *o, struct compose *m, struct arena *a)
{
	str *fields = arena_array(a, o->fields.n, sizeof(*fields));
	err e = fields == NULL ? err_note(E_MEMORY, "out of memory") : OK;

	for (size_t i = 0; i < o->fields.n && e == OK; i++) {
		fields[i] = str_from(o->fields.items[i]);
		e = compose_field(fields[i]);
	}
	m->fields = fields;
	m->fields_n = o->fields.n;
	return e;
}

static err compose(const struct send_options *o, struct send_letter *l, struct compose *m, struct arena *a)
{
	struct compose_person *to, *cc, *bcc;
	BUF(text, MESSAGE_MAX);
	err e = read_people(&o->to, l, o, &to, a);

	if (e == OK)
		e = read_people(&o->cc, l, o, &cc, a);
	if (e == OK)
		e = read_people(&o->bcc, l, o, &bcc, a);
	if (e == OK)
		e = fields_of(o, m, a);
	if (e == OK)
		e = read_attachments(o, m, a);
	if (e == OK)
		e = read_body(o, &text);
	if (e != OK)
		return e;
	m->to = to;
	m->to_n = o->to.n;
	m->cc = cc;
	m->cc_n = o->cc.n;
	m->subject = str_from(o->subject);
	m->at = rt_wall();
	m->message_id = random_text(a, "<" STR_FMT "@" STR_FMT ">", domain_of(l->sender));
	m->boundary = random_text(a, "=_" STR_FMT STR_FMT, STR_NONE);
	m->text = buf_str(&text);
	return compose_message(&l->message, m);
}

static err whole_message(const struct send_options *o, struct send_letter *l, struct arena *a)
{
	BUF(text, MESSAGE_MAX);
	const struct send_list *lists[] = {&o->to, &o->cc, &o->bcc};
	struct compose_person *people;
	err e = read_body(o, &text);

	if (e == OK && (o->subject != NULL || o->fields.n > 0 || o->attachments.n > 0))
		e = err_note(E_SYNTAX, "with --message the message has its subject, header and attachments already");
	for (size_t i = 0; i < ARRAY_LEN(lists) && e == OK; i++)
		e = read_people(lists[i], l, o, &people, a);
	compose_lines(&l->message, buf_str(&text));
	if (e == OK && l->message.full)
		e = err_note(E_LIMIT, "the message is too large");
	if (e == OK && l->rcpts_n == 0)
		e = add_of_header(l, o, buf_str(&l->message), a);
	return e == OK && l->rcpts_n == 0 ? err_note(E_SYNTAX, "the message names no recipient") : e;
}

err send_letter_read(const struct send_options *o, struct send_letter *l, struct arena *a)
{
	struct compose m = {0};
	err e = OK;

	*l = (struct send_letter){.message = BUF_INIT(MESSAGE_MAX)};
	l->rcpts = arena_array(a, SEND_LIST_MAX, sizeof(*l->rcpts));
	if (l->rcpts == NULL)
		return err_note(E_MEMORY, "out of memory");
	if (o->from != NULL)
		e = compose_person(str_from(o->from), a, &m.from);
	else if (o->server.user != NULL && strchr(o->server.user, '@') != NULL)
		e = compose_person(str_from(o->server.user), a, &m.from);
	else
		m.from = unix_user(a);
	l->sender = m.from.address;
	if (e != OK)
		return e;
	return o->message ? whole_message(o, l, a) : compose(o, l, &m, a);
}
