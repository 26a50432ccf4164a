/* SPDX-License-Identifier: ISC */
#include "cli/send_fate.h"

#include <stdio.h>

#include "base/date.h"
#include "base/encode.h"

#define WAIT_STEP_MS 60000u

enum { TOLD_MAX = SEND_LIST_MAX };

static const char *const state_names[] = {
	[FATE_QUEUED] = "queued",       [FATE_MAILBOX] = "mailbox", [FATE_RELAYED] = "relayed",
	[FATE_DELAYED] = "delayed",     [FATE_FAILED] = "failed",   [FATE_HELD] = "held",
	[FATE_DISCARDED] = "discarded",
};

static bool is_final(uint64_t state)
{
	return state == FATE_MAILBOX || state == FATE_RELAYED || state == FATE_FAILED || state == FATE_DISCARDED;
}

/* --- for scripts --- */

static void json_field(struct buf *out, const char *name, str value)
{
	buf_printf(out, ",\"%s\":", name);
	json_quote(out, value);
}

static void json_time(struct buf *out, const char *name, uint64_t usec)
{
	BUF(text, 64);

	if (usec == 0)
		return;
	date_rfc3339(&text, (int64_t)usec);
	json_field(out, name, buf_str(&text));
}

static void print_json(const struct fate *f, str id)
{
	BUF(out, 64 << 10);

	buf_puts(&out, "{\"id\":");
	json_quote(&out, id);
	json_field(&out, "address", f->address);
	if (f->original.n > 0)
		json_field(&out, "original", f->original);
	json_field(&out, "state", str_from(state_names[f->state]));
	json_time(&out, "at", f->at);
	json_time(&out, "due", f->due);
	json_field(&out, "status", f->status);
	json_field(&out, "host", f->host);
	json_field(&out, "reply", f->reply);
	json_field(&out, "security", f->security);
	printf(STR_FMT "}\n", STR_ARG(buf_str(&out)));
}

/* --- for people --- */

static void put_sentence(struct buf *out, const struct fate *f)
{
	switch (f->state) {
	case FATE_MAILBOX:
		buf_puts(out, "in the mailbox");
		break;
	case FATE_RELAYED:
		buf_puts(out, "taken by ");
		escape_text(out, f->host);
		break;
	case FATE_FAILED:
		buf_puts(out, "failed");
		break;
	case FATE_DELAYED:
		buf_puts(out, "delayed");
		break;
	case FATE_DISCARDED:
		buf_puts(out, "discarded");
		break;
	case FATE_HELD:
		buf_puts(out, "held back");
		break;
	default:
		buf_puts(out, "on its way");
	}
	if (f->due > 0) {
		buf_puts(out, " until ");
		date_rfc3339(out, (int64_t)f->due);
	}
}

static void print_line(const struct fate *f)
{
	BUF(out, 64 << 10);

	escape_text(&out, f->address);
	buf_puts(&out, "  ");
	put_sentence(&out, f);
	if (f->state != FATE_RELAYED && f->host.n > 0) {
		buf_puts(&out, " by ");
		escape_text(&out, f->host);
	}
	if (f->reply.n > 0) {
		buf_puts(&out, ": ");
		escape_text(&out, f->reply);
	}
	if (f->state == FATE_RELAYED) {
		buf_puts(&out, f->security.n > 0 ? " (" : " (not encrypted");
		escape_text(&out, f->security);
		buf_puts(&out, ")");
	}
	printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
}

static void print_fate(const struct send_options *o, const struct fate *f, str id)
{
	if (o->json)
		print_json(f, id);
	else if (!o->quiet)
		print_line(f);
	fflush(stdout);
}

void send_fate_refused(const struct send_options *o, const struct smtp_send_rcpt *r, str id)
{
	struct fate f = {.address = r->address, .state = FATE_FAILED, .status = r->status, .reply = r->reply};

	if (o->json)
		print_json(&f, id);
	else
		print_line(&f);
}

void send_fate_taken(const struct send_options *o, const struct smtp_send_rcpt *r, str server, str id)
{
	struct fate f = {
		.address = r->address, .state = FATE_QUEUED, .status = r->status, .reply = r->reply, .host = server};

	if (o->json)
		print_json(&f, id);
}

/* --- waiting --- */

static int status_of(const struct fate_reply *r)
{
	int status = EX_OK;

	for (size_t i = 0; i < r->fates_n; i++) {
		uint64_t state = r->fates[i].state;

		if (state == FATE_FAILED || state == FATE_DISCARDED)
			return EX_UNAVAILABLE;
		if (!is_final(state))
			status = EX_TEMPFAIL;
	}
	return status;
}

/* Prints those that became final; all of them when it is `over`. */
static void tell(const struct send_options *o, const struct fate_reply *r, bool told[TOLD_MAX], bool over, str id)
{
	for (size_t i = 0; i < r->fates_n && i < TOLD_MAX; i++) {
		if (told[i] || (!over && !is_final(r->fates[i].state)))
			continue;
		told[i] = true;
		print_fate(o, &r->fates[i], id);
	}
}

static uint64_t wait_ms(nsec end)
{
	nsec left = end - rt_now();

	if (left <= 0)
		return 0;
	uint64_t ms = (uint64_t)(left / NSEC_PER_MSEC);
	return ms < WAIT_STEP_MS ? ms : WAIT_STEP_MS;
}

int send_fate_wait(const struct invocation *inv, const struct send_options *o, struct submit *s, str id, nsec end)
{
	bool told[TOLD_MAX] = {false};
	uint64_t seen = 0;

	if ((smtp_client_extensions(s->client) & SMTP_EXT_XFATE) == 0)
		return command_fail(inv, EX_UNAVAILABLE,
		                    "the message was taken, but " STR_FMT " does not tell what becomes of it",
		                    STR_ARG(s->server));
	for (;;) {
		ARENA(a, 4 << 20);
		struct fate_reply r = {0};
		err e = smtp_client_fate(s->client, id, seen, wait_ms(end), &r, &a);

		if (e != OK)
			return command_fail(inv, EX_TEMPFAIL,
			                    "the message was taken, but what became of it is not known: %s",
			                    err_info()->text);
		bool over = r.final != 0 || rt_now() >= end;
		tell(o, &r, told, over, id);
		if (over)
			return status_of(&r);
		seen = r.version;
	}
}
