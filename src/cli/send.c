/* SPDX-License-Identifier: ISC */
/* pombo send: the mail client of the command line. */
#include <stdio.h>
#include <unistd.h>

#include "cli/send_fate.h"

enum { PROGRESS_FROM = 256 << 10, LETTER_MEMORY = 1 << 30 };

struct send {
	const struct invocation *inv;
	struct send_options *options;
	struct send_letter letter;
	struct submit submit;
	struct arena arena;
	str *ids; /* of the transactions that were taken */
	size_t ids_n;
	int status;
};

/* --- progress, on a terminal --- */

static void show_progress(void *ctx UNUSED, uint64_t sent, uint64_t all)
{
	fprintf(stderr, "\rsending: %3u %%", (unsigned)(all == 0 ? 100 : sent * 100 / all));
	if (sent == all)
		fprintf(stderr, "\r\033[K");
}

static bool wants_progress(const struct send *s)
{
	return !s->options->quiet && !s->options->json && s->letter.message.n >= PROGRESS_FROM && isatty(STDERR_FILENO);
}

/* --- the transaction --- */

static struct smtp_send transaction_of(struct send *s)
{
	const struct send_options *o = s->options;

	return (struct smtp_send){.sender = s->letter.sender,
	                          .flags = o->require_tls ? MESSAGE_REQUIRE_TLS : 0,
	                          .by_seconds = (int64_t)o->by_seconds,
	                          .by_mode = o->by_mode,
	                          .priority = o->priority,
	                          .hold_seconds = o->hold_seconds,
	                          .message = buf_str(&s->letter.message),
	                          .rcpts = s->letter.rcpts,
	                          .rcpts_n = s->letter.rcpts_n,
	                          .progress = wants_progress(s) ? show_progress : NULL};
}

/* What was asked for and would silently be left out. */
static err check_extensions(const struct send *s)
{
	const struct send_options *o = s->options;
	unsigned have = smtp_client_extensions(s->submit.client);

	if (o->hold_seconds > 0 && (have & SMTP_EXT_FUTURERELEASE) == 0)
		return err_note(E_PERM, STR_FMT " cannot hold mail back (FUTURERELEASE)", STR_ARG(s->submit.server));
	if (o->by_mode != BY_NONE && (have & SMTP_EXT_DELIVERBY) == 0)
		return err_note(E_PERM, STR_FMT " does not know DELIVERBY", STR_ARG(s->submit.server));
	if (o->notify != 0 && (have & SMTP_EXT_DSN) == 0)
		return err_note(E_PERM, STR_FMT " sends no reports (DSN)", STR_ARG(s->submit.server));
	return OK;
}

/* How many were taken. */
static size_t tell_refusals(struct send *s, const struct smtp_send *part, str id)
{
	size_t taken = 0;

	for (size_t i = 0; i < part->rcpts_n; i++) {
		const struct smtp_send_rcpt *r = &part->rcpts[i];

		if (r->result == OK) {
			taken++;
			continue;
		}
		s->status = submit_status(r->result, r->code, r->status);
		send_fate_refused(s->options, r, id);
	}
	return taken;
}

static void tell_taken(const struct send *s, const struct smtp_send *part, str id)
{
	const struct send_options *o = s->options;

	for (size_t i = 0; i < part->rcpts_n; i++)
		if (part->rcpts[i].result == OK)
			send_fate_taken(o, &part->rcpts[i], s->submit.server, id);
	if (!o->quiet && !o->json)
		printf("taken by " STR_FMT " as " STR_FMT "\n", STR_ARG(s->submit.server), STR_ARG(id));
}

static void tell_part(struct send *s, const struct smtp_send *part)
{
	str id = arena_str(&s->arena, submit_id(&s->submit));

	if (tell_refusals(s, part, id) == 0)
		return;
	s->ids[s->ids_n++] = id;
	if (!s->options->wait)
		tell_taken(s, part, id);
}

/* A refusal is told by the exit status before anything else. */
static void wait_for_fates(struct send *s)
{
	nsec end = rt_after(s->options->wait_time);
	int status = EX_OK;

	for (size_t i = 0; i < s->ids_n && s->options->wait; i++) {
		int one = send_fate_wait(s->inv, s->options, &s->submit, s->ids[i], end);

		if (status == EX_OK || one == EX_UNAVAILABLE)
			status = one;
	}
	if (s->status == EX_OK)
		s->status = status;
}

static int fail(const struct send *s, err e)
{
	const struct smtp_reply *reply = s->submit.client == NULL ? NULL : smtp_client_reply(s->submit.client);
	bool refused = reply != NULL && reply->code >= 400 && (e == E_PERM || e == E_TEMP || e == E_DENIED);

	if (refused)
		return command_fail(s->inv, submit_status(e, reply->code, str_from(reply->status)),
		                    STR_FMT " says: %d %s " STR_FMT, STR_ARG(s->submit.server), reply->code,
		                    reply->status, STR_ARG(buf_str(&reply->text)));
	return command_fail_err(s->inv, e);
}

/* A file, a host or an offer of the server that is not there. */
static int fail_not_found(const struct send *s)
{
	int status = s->submit.client != NULL ? EX_UNAVAILABLE : s->submit.server.n > 0 ? EX_NOINPUT : EX_NOHOST;

	return command_fail(s->inv, status, "%s", err_info()->text);
}

static void fail_part(struct send *s, err e, bool in_doubt)
{
	if (in_doubt)
		s->status = command_fail(s->inv, EX_TEMPFAIL,
		                         "the connection broke while " STR_FMT
		                         " was about to say whether it took the message: it may have",
		                         STR_ARG(s->submit.server));
	else
		s->status = fail(s, e);
}

static void hand_over(struct send *s)
{
	struct smtp_send message = transaction_of(s);
	struct submit_part part = {0};

	while (submit_next(&s->submit, &message, &part)) {
		bool in_doubt = false;
		err e = submit_part(&s->submit, &part, &s->arena, &in_doubt);

		if (e == OK)
			tell_part(s, &part.send);
		else
			fail_part(s, e, in_doubt);
	}
	(void)tell_refusals(s, &part.send, STR_NONE);
	wait_for_fates(s);
}

static err begin(struct send *s)
{
	err e = check_extensions(s);

	s->ids = arena_array(&s->arena, s->letter.rcpts_n, sizeof(*s->ids));
	s->status = EX_OK;
	return e == OK && s->ids == NULL ? err_note(E_MEMORY, "out of memory") : e;
}

static void connect_and_send(struct send *s)
{
	err e = submit_connect(&s->options->server, s->letter.sender, &s->submit);

	if (e == E_NOT_FOUND) {
		s->status = fail_not_found(s);
		return;
	}
	if (e == OK)
		e = begin(s);
	if (e == OK)
		hand_over(s);
	else
		s->status = fail(s, e);
}

static void run(void *arg)
{
	struct send *s = arg;
	err e = send_letter_read(s->options, &s->letter, &s->arena);

	if (e != OK) {
		s->status =
			command_fail(s->inv, e == E_NOT_FOUND ? EX_NOINPUT : command_status(e), "%s", err_info()->text);
	} else {
		connect_and_send(s);
		submit_close(&s->submit);
	}
	buf_free(&s->letter.message);
}

static void print_help(const struct invocation *inv)
{
	help_command(inv->command);
	fputs(send_options_help, stdout);
}

int command_send(const struct invocation *inv)
{
	ARENA(a, 1 << 20);
	struct send_options *o = arena_alloc(&a, sizeof(*o));
	struct send s = {.inv = inv, .options = o, .arena = ARENA_INIT(LETTER_MEMORY), .status = EX_SOFTWARE};

	if (o == NULL || !send_options_parse(inv, o, &a))
		return EX_USAGE;
	if (o->help) {
		print_help(inv);
		return EX_OK;
	}
	if (!o->message && o->to.n + o->cc.n + o->bcc.n == 0)
		return command_usage(inv, "to whom?");
	err e = send_defaults_read(o, &a);
	if (e == OK)
		e = rt_run(run, &s);
	arena_free(&s.arena);
	return e == OK ? s.status : command_fail(inv, EX_CONFIG, "%s", err_info()->text);
}
