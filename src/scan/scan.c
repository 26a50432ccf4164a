/* SPDX-License-Identifier: ISC */
#include "scan/scan.h"

#include "base/log.h"
#include "scan/program.h"

static const struct {
	const char *name;
	program_ask *ask;
} kinds[] = {
	[SCANNER_RSPAMD] = {"rspamd", program_rspamd},
	[SCANNER_SPAMD] = {"spamd", program_spamd},
	[SCANNER_CLAMD] = {"clamd", program_clamd},
	[SCANNER_MILTER] = {"milter", program_milter},
};

struct scan {
	const struct scan_input *in;
	struct buf *findings;
	struct arena *arena;
	struct scan_result *out;
	struct scan_message message;
};

static const char *action_name(enum scan_action a)
{
	static const char *const names[] = {"nothing", "junk", "quarantine", "discard", "later", "reject"};

	return a < ARRAY_LEN(names) ? names[a] : "nothing";
}

static void say(struct scan *s, const struct config_scanner *c, const struct program_answer *a)
{
	str evidence = arena_printf(s->arena, STR_FMT ": " STR_FMT, STR_ARG(c->text), STR_ARG(a->evidence));
	str result = a->result.n > 0 ? a->result : str_from(action_name(a->action));

	finding_print(s->findings, &(struct finding){.kind = FINDING_SCANNER,
	                                             .name = str_from(kinds[c->kind].name),
	                                             .result = result,
	                                             .points = a->points,
	                                             .evidence = evidence});
}

/* What it failed with is known; whether mail waits for it was decided in the configuration. */
static struct program_answer failed(const struct config_scanner *c, struct arena *a)
{
	struct program_answer answer = {.result = STR("failed"), .evidence = arena_str(a, str_from(err_info()->text))};

	if (!c->closed)
		return answer;
	answer.action = SCAN_LATER;
	answer.reply = 451;
	answer.status = STR("4.3.0");
	answer.text = STR("The message cannot be checked at the moment; try again later");
	return answer;
}

static void message_release(struct scan_message *m)
{
	if (m->own_body)
		body_release(&m->body);
	m->own_body = false;
}

/* What follows sees the message as it has become. */
static void take_changes(struct scan *s, const struct program_answer *a)
{
	struct scan_message *m = &s->message;

	if ((a->changed & CHANGED_BODY) != 0) {
		message_release(m);
		m->body = a->now.body;
		m->own_body = true;
	}
	if ((a->changed & CHANGED_SENDER) != 0)
		m->sender = a->now.sender;
	if ((a->changed & CHANGED_RCPTS) != 0) {
		m->rcpts = a->now.rcpts;
		m->rcpts_n = a->now.rcpts_n;
	}
	s->out->changed |= a->changed;
}

static void take(struct scan *s, const struct program_answer *a)
{
	struct scan_result *out = s->out;

	out->points += a->points;
	take_changes(s, a);
	if (a->action <= out->action)
		return;
	out->action = a->action;
	out->reply = a->reply;
	out->status = a->status;
	out->text = a->text;
}

static bool is_fault_of_ours(err e)
{
	return e == E_CANCELLED || e == E_MEMORY;
}

static err ask(struct scan *s, const struct config_scanner *c)
{
	nsec until = rt_after(c->timeout);
	struct program p = {.in = s->in,
	                    .scanner = c,
	                    .message = &s->message,
	                    .deadline = until < s->in->deadline ? until : s->in->deadline,
	                    .arena = s->arena};
	struct program_answer answer = PROGRAM_SAID_NOTHING;
	err e = kinds[c->kind].ask(&p, &answer);

	if (is_fault_of_ours(e))
		return e;
	if (e != OK) {
		LOG(WARN, "scan.failed", LOG_ID("mid", s->message.id), LOG_Z("kind", kinds[c->kind].name),
		    LOG_STR("address", c->text), LOG_Z("error", err_info()->text));
		answer = failed(c, s->arena);
	}
	say(s, c, &answer);
	take(s, &answer);
	return s->arena->full ? err_note(E_LIMIT, "no memory for the answers of scanners") : OK;
}

static void finish(struct scan *s, err e)
{
	struct scan_result *out = s->out;

	if (e != OK || (out->changed & CHANGED_BODY) == 0) {
		message_release(&s->message);
		return;
	}
	out->new_body = s->message.body;
}

err scan_message(const struct scan_input *in, struct buf *findings, struct arena *a, struct scan_result *out)
{
	const struct inspect_request *q = in->message;
	struct scan s = {.in = in,
	                 .findings = findings,
	                 .arena = a,
	                 .out = out,
	                 .message = {q->origin, q->id, q->sender, q->rcpts, q->rcpts_n, q->body, false}};
	unsigned mail = in->ours ? SCANNER_OUT : SCANNER_IN;
	err e = OK;

	*out = (struct scan_result){.new_body = BODY_OF(STR_NONE)};
	for (size_t i = 0; i < in->config->scanners_n && e == OK && out->action < SCAN_LATER; i++)
		if ((in->config->scanners[i].mail & mail) != 0)
			e = ask(&s, &in->config->scanners[i]);
	out->new_sender = s.message.sender;
	out->new_rcpts = s.message.rcpts;
	out->new_rcpts_n = s.message.rcpts_n;
	finish(&s, e);
	return e;
}
