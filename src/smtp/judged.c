/* SPDX-License-Identifier: ISC */
/* What the filter says of a message, and what has to be done about it before the store is asked. */
#include "base/log.h"
#include "mail/address.h"
#include "smtp/session.h"

/* Clients wait ten minutes for the reply (RFC 5321 4.5.3.2.6). */
#define INSPECT_TIME     (60 * NSEC_PER_SEC)
#define INSPECT_TIME_MAX (480 * NSEC_PER_SEC)
#define REFUSE_TIME      (20 * NSEC_PER_SEC)

static nsec inspect_time(const struct config *c)
{
	nsec time = INSPECT_TIME;

	for (size_t i = 0; i < c->scanners_n; i++)
		time += c->scanners[i].timeout;
	return time < INSPECT_TIME_MAX ? time : INSPECT_TIME_MAX;
}

static err inspect(struct smtp *s, struct envelope *env, struct judged *j)
{
	struct inspect_request q = {.id = env->id,
	                            .origin = &j->origin,
	                            .origin_n = 1,
	                            .sender = env->sender,
	                            .rcpts = env->rcpts,
	                            .rcpts_n = env->rcpts_n,
	                            .flags = j->flags,
	                            .account = s->account,
	                            .body = j->body};
	struct link *filter = peers_filter(s->options->peers);

	if (filter == NULL)
		return err_note(E_TEMP, "no filter is up");
	return call_inspect(filter, &q, &j->seen, &env->arena, rt_after(inspect_time(s->config)));
}

/* Why it was refused is kept, for who asks. */
static void note_refusal(struct smtp *s, struct envelope *env, struct judged *j)
{
	const struct inspect_reply *seen = &j->seen;
	struct refuse_request q = {.id = env->id,
	                           .origin = &j->origin,
	                           .origin_n = 1,
	                           .sender = env->sender,
	                           .rcpts = env->rcpts,
	                           .rcpts_n = env->rcpts_n,
	                           .message_id = seen->message_id,
	                           .subject = seen->subject,
	                           .reply = seen->reply,
	                           .status = seen->status,
	                           .text = seen->text,
	                           .judgement = seen->judgement,
	                           .judgement_n = seen->judgement_n};
	struct refuse_reply r;

	if (seen->judgement_n > 0 &&
	    call_refuse(s->options->peers->store, &q, &r, &env->arena, rt_after(REFUSE_TIME)) != OK)
		LOG(WARN, "smtp.error", LOG_ID("mid", env->id), LOG_STR("sid", s->options->session),
		    LOG_Z("call", "refuse"), LOG_Z("text", err_info()->text));
}

/* --- what became of the recipients --- */

static uint64_t verdict(const struct inspect_reply *seen, size_t n, size_t i)
{
	uint64_t d = seen->verdicts_n == n ? seen->verdicts[i].disposition : DISPOSITION_DELIVER;

	return d <= DISPOSITION_DISCARD ? d : DISPOSITION_DELIVER;
}

static void log_change(const struct smtp *s, const struct envelope *env, const char *what, str value)
{
	LOG(WARN, "smtp.change", LOG_ID("mid", env->id), LOG_STR("sid", s->options->session), LOG_Z("what", what),
	    LOG_STR("value", value));
}

static const struct rcpt *find(const struct envelope *env, str address)
{
	for (size_t i = 0; i < env->rcpts_n; i++)
		if (str_equal(env->rcpts[i].address, address))
			return &env->rcpts[i];
	return NULL;
}

/* Those that were asked for already, and those new ones that the store takes. */
static err take_new_rcpts(struct smtp *s, struct envelope *env, struct judged *j)
{
	const struct inspect_reply *seen = &j->seen;
	struct rcpt *added = arena_array(&env->arena, seen->new_rcpts_n, sizeof(*added));
	size_t n = 0;

	j->rcpts = arena_array(&env->arena, seen->new_rcpts_n, sizeof(*j->rcpts));
	if (added == NULL || j->rcpts == NULL)
		return err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this transaction");
	j->rcpts_n = 0;
	for (size_t i = 0; i < seen->new_rcpts_n; i++) {
		const struct rcpt *old = find(env, seen->new_rcpts[i].address);
		struct rcpt *to = old != NULL ? &j->rcpts[j->rcpts_n++] : &added[n++];
		*to = old != NULL ? *old : seen->new_rcpts[i];
		to->disposition = verdict(seen, seen->new_rcpts_n, i);
	}
	return smtp_check_rcpts(s, env, added, n, j->rcpts, &j->rcpts_n);
}

/* Nobody is left: as if it had been thrown away, which is written down for those who were asked for. */
static void discard(struct envelope *env, struct judged *j)
{
	j->rcpts = env->rcpts;
	j->rcpts_n = env->rcpts_n;
	for (size_t i = 0; i < j->rcpts_n; i++)
		j->rcpts[i].disposition = DISPOSITION_DISCARD;
}

static err take_rcpts(struct smtp *s, struct envelope *env, struct judged *j)
{
	if ((j->seen.changed & CHANGED_RCPTS) == 0) {
		for (size_t i = 0; i < env->rcpts_n; i++)
			env->rcpts[i].disposition = verdict(&j->seen, env->rcpts_n, i);
		return OK;
	}
	err e = take_new_rcpts(s, env, j);
	j->flags |= MESSAGE_ALL_OR_NONE; /* for LMTP, too: there is one answer for all of them */
	if (e == OK && j->rcpts_n == 0)
		discard(env, j);
	return e;
}

static void take_sender(struct smtp *s, struct envelope *env, struct judged *j)
{
	struct address a;

	if ((j->seen.changed & CHANGED_SENDER) == 0)
		return;
	if (j->seen.new_sender.n == 0 || address_parse(j->seen.new_sender, env->params.utf8, &a) == OK)
		j->sender = j->seen.new_sender;
	else
		log_change(s, env, "sender", j->seen.new_sender);
}

err smtp_judge(struct smtp *s, struct envelope *env, struct judged *j)
{
	j->seen.new_body = BODY_OF(STR_NONE);
	j->sender = env->sender;
	j->rcpts = env->rcpts;
	j->rcpts_n = env->rcpts_n;
	err e = inspect(s, env, j);

	if (e != OK)
		return e;
	if (j->seen.code != OK) {
		note_refusal(s, env, j);
		return smtp_refused(env, &(struct rcpt_answer){.code = E_PERM,
		                                               .reply = j->seen.reply,
		                                               .status = j->seen.status,
		                                               .text = j->seen.text});
	}
	if ((j->seen.changed & CHANGED_BODY) != 0)
		j->body = j->seen.new_body;
	take_sender(s, env, j);
	return take_rcpts(s, env, j);
}

void smtp_judged_end(struct judged *j)
{
	body_release(&j->seen.new_body);
}
