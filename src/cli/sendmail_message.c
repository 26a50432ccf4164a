/* SPDX-License-Identifier: ISC */
/* What a program hands to sendmail becomes a message. */
#include "cli/sendmail.h"
#include "cli/unix_user.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/mailbox_list.h"
#include "mail/qualify.h"
#include "mail/transfer.h"

enum { RECIPIENTS_MAX = 10000 };

struct maker {
	const struct sendmail_options *options;
	struct sendmail_message *out;
	struct arena *arena;
	str domain;
	bool has_from;
	bool resent; /* some Resent field names recipients */
};

/* --- the text --- */

/* Up to the line with a dot alone, unless that is text. */
static str before_dot(str input)
{
	str rest = input, line;

	while (rest.n > 0) {
		size_t at = input.n - rest.n;

		str_cut(rest, '\n', &line, &rest);
		if (str_equal(str_trim(line), STR(".")) && line.p[0] == '.')
			return str_take(input, at);
	}
	return input;
}

/* --- recipients --- */

static err add_rcpt(struct maker *m, str address)
{
	struct sendmail_message *out = m->out;

	for (size_t i = 0; i < out->rcpts_n; i++)
		if (str_equal(out->rcpts[i].address, address))
			return OK;
	if (out->rcpts_n == RECIPIENTS_MAX)
		return err_note(E_LIMIT, "more than %d recipients", RECIPIENTS_MAX);
	if (out->rcpts_n == out->rcpts_size) {
		size_t size = out->rcpts_size == 0 ? 8 : out->rcpts_size * 2;
		struct smtp_send_rcpt *p = arena_array(m->arena, size, sizeof(*p));
		if (p == NULL)
			return err_note(E_MEMORY, "out of memory");
		if (out->rcpts_n > 0)
			memcpy(p, out->rcpts, out->rcpts_n * sizeof(*p));
		out->rcpts = p;
		out->rcpts_size = size;
	}
	out->rcpts[out->rcpts_n++] = (struct smtp_send_rcpt){.address = address, .notify = m->options->notify};
	return OK;
}

/* `value`: with domains. */
static err add_list(struct maker *m, str value)
{
	struct mailbox_list list;
	err e = mailbox_list_parse(value, m->arena, &list);

	if (e != OK)
		return err_note(E_SYNTAX, "\"" STR_FMT "\" is no list of addresses", STR_ARG(str_take(str_trim(value), 100)));
	for (size_t i = 0; i < list.n && e == OK; i++)
		e = add_rcpt(m, list.addresses[i]);
	return e;
}

static err add_arguments(struct maker *m)
{
	err e = OK;

	for (size_t i = 0; i < m->options->recipients_n && e == OK; i++) {
		BUF(value, 64 << 10);

		qualify_addresses(&value, str_from(m->options->recipients[i]), m->domain);
		e = add_list(m, arena_str(m->arena, buf_str(&value)));
	}
	return e;
}

/* --- the header --- */

static bool is_one_of(str name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (str_equal_nocase(name, str_from(*names)))
			return true;
	return false;
}

/* A CR that stands alone becomes a blank: it is no line's end to those who take care that what they put into a field holds none. */
static void put_lines(struct maker *m, str field)
{
	while (field.n > 0) {
		size_t n = str_find(field, '\r');
		str behind = str_drop(field, n + 1);

		compose_lines(&m->out->text, str_take(field, n));
		if (n < field.n && !str_starts(behind, STR("\n")))
			buf_putc(&m->out->text, ' ');
		field = behind;
	}
}

static const char *const resent_to[] = {"Resent-To", "Resent-Cc", "Resent-Bcc", NULL};

static bool is_resent(str message)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(message, &at, &f))
		if (is_one_of(f.name, resent_to))
			return true;
	return false;
}

/* RFC 5322 3.6.6: who sends it again names others than who wrote it. */
static bool names_recipients(const struct maker *m, str field)
{
	static const char *const to[] = {"To", "Cc", "Bcc", NULL};

	return m->options->of_header && is_one_of(field, m->resent ? resent_to : to);
}

static err put_address_field(struct maker *m, const struct header_field *f)
{
	BUF(value, 1 << 20);

	qualify_addresses(&value, f->value, m->domain);
	if (value.full)
		return err_note(E_LIMIT, "the header is too large");
	m->has_from = m->has_from || str_equal_nocase(f->name, STR("From"));
	err e = names_recipients(m, f->name) ? add_list(m, arena_str(m->arena, buf_str(&value))) : OK;
	if (str_equal_nocase(f->name, STR("Bcc")) || str_equal_nocase(f->name, STR("Resent-Bcc")))
		return e;
	buf_put(&m->out->text, f->name);
	buf_puts(&m->out->text, ":");
	put_lines(m, buf_str(&value));
	buf_puts(&m->out->text, "\r\n");
	return e;
}

static err put_fields(struct maker *m, str message, size_t *at)
{
	static const char *const addresses[] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Resent-From", "Resent-Sender", NULL};
	struct header_field f;
	err e = OK;

	m->resent = is_resent(message);
	while (e == OK && header_next(message, at, &f)) {
		if (is_one_of(f.name, addresses) || is_one_of(f.name, resent_to))
			e = put_address_field(m, &f);
		else
			put_lines(m, f.whole);
	}
	return e;
}

/* -f says the address, -F the name. */
static void put_from(struct maker *m)
{
	struct compose_person who = unix_user(m->arena);
	const struct sendmail_options *o = m->options;

	if (o->name != NULL)
		who.name = str_from(o->name);
	if (o->sender != NULL && o->sender[0] != '\0') {
		BUF(address, 1000);

		qualify_addresses(&address, str_from(o->sender), m->domain);
		who.address = arena_str(m->arena, buf_str(&address));
		who.name = str_from(o->name);
	}
	buf_puts(&m->out->text, "From: ");
	if (who.name.n > 0) {
		transfer_phrase(&m->out->text, who.name, 6);
		buf_printf(&m->out->text, " <" STR_FMT ">\r\n", STR_ARG(who.address));
	} else {
		buf_printf(&m->out->text, STR_FMT "\r\n", STR_ARG(who.address));
	}
}

/* Behind the header: its empty line, or, where there is none, the text at once. */
static void put_body(struct maker *m, str rest)
{
	if (!str_starts(rest, STR("\n")) && !str_starts(rest, STR("\r\n")))
		buf_puts(&m->out->text, "\r\n");
	compose_lines(&m->out->text, rest);
	if (!str_ends(buf_str(&m->out->text), STR("\r\n")))
		buf_puts(&m->out->text, "\r\n");
}

err sendmail_message_make(const struct sendmail_options *o, str input, struct sendmail_message *out, struct arena *a)
{
	struct maker m = {.options = o, .out = out, .arena = a, .domain = unix_mail_name(a)};
	str message = o->dots ? input : before_dot(input);
	size_t at = 0;
	err e = add_arguments(&m);

	if (e == OK)
		e = put_fields(&m, message, &at);
	if (e != OK)
		return e;
	if (!m.has_from)
		put_from(&m);
	put_body(&m, str_drop(message, at));
	if (out->text.full || a->full)
		return err_note(E_LIMIT, "the message is too large");
	return out->rcpts_n == 0 ? err_note(E_NOT_FOUND, "no recipient is named") : OK;
}
