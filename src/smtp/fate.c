/* SPDX-License-Identifier: ISC */
/* XFATE: what became of a message, for whoever submitted it. client.h has its grammar. */
#include "base/date.h"
#include "base/encode.h"
#include "base/log.h"
#include "smtp/client.h"
#include "smtp/session.h"

#define CALL_TIME (60 * NSEC_PER_SEC)

enum { WAIT_MAX = 600, TEXT_MAX = 300, REPLY_MAX = 500, REPLY_ARENA_MAX = 16 << 20 };

static const str states[] = {
	[FATE_QUEUED] = STR("queued"),   [FATE_MAILBOX] = STR("mailbox"), [FATE_RELAYED] = STR("relayed"),
	[FATE_DELAYED] = STR("delayed"), [FATE_FAILED] = STR("failed"),   [FATE_DISCARDED] = STR("discarded"),
	[FATE_HELD] = STR("held"),
};

/* --- the command --- */

static bool parse_word(str word, struct fate_request *q)
{
	str name, value;
	uint64_t seconds;

	if (!str_cut(word, '=', &name, &value))
		return false;
	if (str_equal_nocase(name, STR("SEEN")))
		return str_to_u64(value, UINT64_MAX, &q->seen);
	if (!str_equal_nocase(name, STR("WAIT")) || !str_to_u64(value, WAIT_MAX, &seconds))
		return false;
	q->wait_ms = seconds * 1000;
	return true;
}

static bool parse_fate(str args, struct fate_request *q)
{
	bool good = id_parse(str_word(&args), &q->message);
	str word;

	while (good && (word = str_word(&args)).n > 0)
		good = parse_word(word, q);
	return good;
}

/* RFC 4954 4.3's reply for who is nobody. False: it was answered. */
static bool may_ask(struct smtp *s)
{
	if (!s->options->submission)
		smtp_reply(s, 502, "5.5.1", "This command is not available here");
	else if (s->hello != HELLO_EXTENDED)
		smtp_reply(s, 503, "5.5.1", "Say EHLO first");
	else
		return !smtp_must_log_in(s);
	return false;
}

/* --- the reply --- */

/* " NAME=text": left out when there is no text, and when the line would be too long for it. */
static void put_text(struct buf *line, const char *name, str text, size_t max)
{
	BUF(word, FATE_LINE_MAX);

	if (text.n == 0)
		return;
	buf_printf(&word, " %s=", name);
	xtext_encode(&word, str_take(text, max));
	if (!word.full && line->n + word.n + 2 <= FATE_LINE_MAX)
		buf_put(line, buf_str(&word));
}

static void put_time(struct buf *line, const char *name, uint64_t at)
{
	if (at == 0)
		return;
	buf_printf(line, " %s=", name);
	date_rfc3339(line, (int64_t)at);
}

static void put_fate(struct smtp *s, const struct fate *f)
{
	BUF(line, FATE_LINE_MAX);
	str state = f->state < ARRAY_LEN(states) ? states[f->state] : states[FATE_QUEUED];

	buf_printf(&line, "250-" STR_FMT " ", STR_ARG(state));
	xtext_encode(&line, f->address);
	put_time(&line, "AT", f->at);
	put_time(&line, "DUE", f->due);
	put_text(&line, "STATUS", f->status, TEXT_MAX);
	put_text(&line, "ORIGINAL", f->original, f->original.n);
	put_text(&line, "HOST", f->host, TEXT_MAX);
	put_text(&line, "SECURITY", f->security, TEXT_MAX);
	put_text(&line, "REPLY", f->reply, REPLY_MAX);
	buf_puts(&line, "\r\n");
	if (!line.full)
		stream_put(s->stream, buf_str(&line));
}

static void put_fates(struct smtp *s, const struct fate_reply *r)
{
	stream_printf(s->stream, "250-VERSION=%llu FINAL=%d\r\n", (unsigned long long)r->version, r->final != 0);
	for (size_t i = 0; i < r->fates_n && i + 2 < FATE_LINES_MAX; i++)
		put_fate(s, &r->fates[i]);
	stream_put(s->stream, STR("250 End\r\n"));
}

/* Nothing is lost when the process shuts down meanwhile: then it is said why, as between two commands. */
static err ask(struct smtp *s, const struct fate_request *q, struct fate_reply *r, struct arena *a)
{
	nsec deadline = rt_after((nsec)q->wait_ms * (NSEC_PER_SEC / 1000) + CALL_TIME);

	if (stream_flush(s->stream) != OK)
		return smtp_lost(s, E_CLOSED);
	if (s->options->idle != NULL)
		*s->options->idle = true;
	err e = call_fate(s->options->peers->store, q, r, a, deadline);
	if (s->options->idle != NULL)
		*s->options->idle = false;
	return e == E_CANCELLED ? smtp_lost(s, e) : e;
}

void smtp_fate(struct smtp *s)
{
	ARENA(a, REPLY_ARENA_MAX);
	struct fate_request q = {
		.session = s->options->session, .account = s->account, .login = s->account == 0 ? s->login : STR_NONE};
	struct fate_reply r = {0};

	if (!may_ask(s))
		return;
	if (!parse_fate(s->command.args, &q)) {
		smtp_reply(s, 501, "5.5.4", "Write XFATE id, and perhaps SEEN=version and WAIT=seconds, up to %d",
		           WAIT_MAX);
		return;
	}
	err e = ask(s, &q, &r, &a);
	if (e == OK)
		put_fates(s, &r);
	else if (e == E_NOT_FOUND || e == E_DENIED)
		smtp_reply(s, 550, "5.1.0", "There is no message of this id that you have submitted");
	else if (!s->closing)
		smtp_reply_err(s);
}
