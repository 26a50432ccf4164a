/* SPDX-License-Identifier: ISC */
/* The whole message is here: the filter looks at it, the store makes it ours, and then, and only then, it is 250. */
#include "base/encode.h"
#include "base/log.h"
#include "mail/received.h"
#include "rt/tls.h"
#include "smtp/session.h"

#define ACCEPT_TIME (120 * NSEC_PER_SEC)

enum { HEADERS_MAX = 256 << 10 };

/* RFC 3848, RFC 6531 4.3: with S under TLS, and A for who is logged in. */
static str protocol(const struct smtp *s, const struct envelope *env)
{
	static const str names[2][2][4] = {
		{{STR("ESMTP"), STR("ESMTPS"), STR("ESMTPA"), STR("ESMTPSA")},
	         {STR("UTF8SMTP"), STR("UTF8SMTPS"), STR("UTF8SMTPA"), STR("UTF8SMTPSA")}},
		{{STR("LMTP"), STR("LMTPS"), STR("LMTPA"), STR("LMTPSA")},
	         {STR("UTF8LMTP"), STR("UTF8LMTPS"), STR("UTF8LMTPA"), STR("UTF8LMTPSA")}},
	};
	size_t with = (stream_is_tls(s->stream) ? 1u : 0u) + (s->account != 0 ? 2u : 0u);

	if (s->hello == HELLO_PLAIN && s->account == 0)
		return STR("SMTP");
	return names[s->options->lmtp][env->params.utf8][with];
}

static struct origin origin_of(const struct smtp *s, const struct envelope *env)
{
	return (struct origin){.session = s->options->session,
	                       .client = buf_str(&s->client),
	                       .helo = s->helo,
	                       .protocol = protocol(s, env),
	                       .login = s->login};
}

static uint64_t flags_of(const struct smtp *s, const struct envelope *env)
{
	uint64_t flags = s->options->lmtp ? 0 : MESSAGE_ALL_OR_NONE;

	if (s->options->submission)
		flags |= MESSAGE_SUBMISSION;
	if (s->options->local)
		flags |= MESSAGE_LOCAL;
	if (env->params.require_tls)
		flags |= MESSAGE_REQUIRE_TLS;
	if (env->params.body != BODY_7BIT)
		flags |= MESSAGE_8BIT;
	if (env->params.body == BODY_BINARY)
		flags |= MESSAGE_BINARY;
	if (env->params.utf8)
		flags |= MESSAGE_UTF8;
	return flags;
}

err smtp_refused(struct envelope *env, const struct rcpt_answer *r)
{
	return err_set(E_PERM, (int)r->reply, arena_z(&env->arena, r->status), STR_FMT, STR_ARG(r->text));
}

/* RFC 6409 6.1: who it says it is from, as the login must be allowed to write. With the reverse-path that was asked before (rcpt_check), and mostly there
 * is nobody else. */
static err take_authors(const struct smtp *s, struct envelope *env, const struct inspect_reply *seen,
                        struct accept_request *q)
{
	if (s->account == 0)
		return OK;
	q->authors = arena_array(&env->arena, seen->authors_n, sizeof(*q->authors));
	if (q->authors == NULL)
		return err_set(E_LIMIT, 452, "4.3.1", "Out of memory for this transaction");
	for (size_t i = 0; i < seen->authors_n; i++)
		if (!str_equal(seen->authors[i].address, env->sender))
			q->authors[q->authors_n++] = seen->authors[i];
	return OK;
}

/* RFC 8689 4.1: REQUIRETLS is stronger than the header. */
static uint64_t flags_seen(const struct envelope *env, const struct inspect_reply *seen)
{
	return env->params.require_tls ? 0 : seen->flags & MESSAGE_TLS_OPTIONAL;
}

static err accept_message(struct smtp *s, struct envelope *env, struct judged *j, struct accept_reply *kept)
{
	const struct inspect_reply *seen = &j->seen;
	BUF(headers, HEADERS_MAX);
	struct tls_info tls = stream_tls_info(s->stream);
	struct received received = {.origin = &j->origin,
	                            .tls_version = tls.version,
	                            .tls_cipher = tls.cipher,
	                            .hostname = s->config->hostname,
	                            .id = env->id,
	                            .hide_client = s->options->submission && !s->options->local &&
	                                           s->config->show_client == CONFIG_NO,
	                            .only_recipient = env->rcpts_n == 1 ? env->rcpts[0].address : STR_NONE,
	                            .at = rt_wall()};
	struct accept_request q = {.id = env->id,
	                           .origin = &j->origin,
	                           .origin_n = 1,
	                           .account = s->account,
	                           .sender = j->sender,
	                           .envid = env->params.envid,
	                           .ret = env->params.ret,
	                           .flags = j->flags | flags_seen(env, seen),
	                           .hold_until = env->hold_until,
	                           .deliver_by = env->deliver_by,
	                           .by_mode = env->params.by_mode,
	                           .priority = env->params.priority,
	                           .rcpts = j->rcpts,
	                           .rcpts_n = j->rcpts_n,
	                           .message_id = seen->message_id,
	                           .subject = seen->subject,
	                           .drop = seen->drop,
	                           .drop_n = seen->drop_n,
	                           .judgement = seen->judgement,
	                           .judgement_n = seen->judgement_n,
	                           .body = j->body};

	received_print(&headers, &received);
	buf_put(&headers, seen->headers);
	if (headers.full)
		return err_note(E_LIMIT, "trace headers of more than %d octets", HEADERS_MAX);
	q.headers = buf_str(&headers);
	err e = take_authors(s, env, seen, &q);
	if (e == OK)
		e = call_accept(s->options->peers->store, &q, kept, &env->arena, rt_after(ACCEPT_TIME));
	if (e == OK && kept->answers_n != j->rcpts_n)
		return err_note(E_TEMP, "the store answered for %zu of %zu recipients", kept->answers_n, j->rcpts_n);
	return e;
}

/* One refusal for all: a temporary one if there is any, so that the client comes back and no recipient is lost to
 * another's fault. */
static const struct rcpt_answer *worst_of(const struct accept_reply *kept)
{
	const struct rcpt_answer *worst = NULL;

	for (size_t i = 0; i < kept->answers_n; i++) {
		const struct rcpt_answer *a = &kept->answers[i];
		if (a->code != OK && (worst == NULL || (worst->reply >= 500 && a->reply < 500)))
			worst = a;
	}
	return worst;
}

static void log_message(const struct smtp *s, const struct envelope *env, const char *event, int code, str reason)
{
	LOG(INFO, event, LOG_ID("mid", env->id), LOG_STR("sid", s->options->session),
	    LOG_STR("client", buf_str(&s->client)), LOG_STR("from", env->sender), LOG_NUM("nrcpt", env->rcpts_n),
	    LOG_NUM("size", env->spool.size), LOG_NUM("code", code), LOG_STR("reason", reason));
}

/* What became of most of it, for who counts: the worst. */
static const char *disposition_of(const struct judged *j)
{
	static const char *const names[] = {"deliver", "junk", "quarantine", "discard"};
	uint64_t worst = DISPOSITION_DELIVER;

	for (size_t i = 0; i < j->rcpts_n; i++)
		worst = j->rcpts[i].disposition > worst ? j->rcpts[i].disposition : worst;
	return names[worst];
}

static void log_accepted(const struct smtp *s, const struct envelope *env, const struct judged *j, size_t nrcpt)
{
	LOG(INFO, "smtp.accept", LOG_ID("mid", env->id), LOG_STR("sid", s->options->session),
	    LOG_STR("client", buf_str(&s->client)), LOG_STR("from", env->sender), LOG_NUM("nrcpt", nrcpt),
	    LOG_NUM("size", env->spool.size), LOG_STR("login", s->login), LOG_Z("disposition", disposition_of(j)));
}

void smtp_reject(struct smtp *s, struct envelope *env)
{
	const struct err_info *i = err_info();

	if (i->reply == 0)
		LOG(WARN, "smtp.error", LOG_ID("mid", env->id), LOG_STR("sid", s->options->session),
		    LOG_Z("text", i->text));
	else
		log_message(s, env, "smtp.reject", i->reply, str_from(i->text));
	smtp_reply_message_err(s, env);
}

static void reply_accepted(struct smtp *s, uint64_t id)
{
	char text[ID_TEXT_MAX];

	smtp_reply(s, 250, "2.0.0", "Ok: queued as " STR_FMT, STR_ARG(id_text(id, text)));
}

/* RFC 2033 4.2: a line for each recipient, in the order of RCPT. */
static size_t answer_each(struct smtp *s, const struct envelope *env, const struct accept_reply *kept)
{
	size_t accepted = 0;

	for (size_t i = 0; i < kept->answers_n; i++) {
		const struct rcpt_answer *a = &kept->answers[i];
		if (a->code == OK) {
			reply_accepted(s, env->id);
			accepted++;
		} else {
			smtp_reply_refusal(s, a->reply, a->status, a->text);
			log_message(s, env, "smtp.reject", (int)a->reply, a->text);
		}
	}
	return accepted;
}

/* Its recipients are others now: there is one answer for all of those that were asked for. */
static size_t answer_all(struct smtp *s, struct envelope *env, const struct judged *j, const struct rcpt_answer *worst)
{
	for (size_t i = 0; i < env->rcpts_n; i++) {
		if (worst == NULL)
			reply_accepted(s, env->id);
		else
			smtp_reply_refusal(s, worst->reply, worst->status, worst->text);
	}
	return worst == NULL ? j->rcpts_n : 0;
}

static void answer(struct smtp *s, struct envelope *env, const struct judged *j, const struct accept_reply *kept)
{
	const struct rcpt_answer *worst = worst_of(kept);
	size_t accepted = j->rcpts_n;

	if (s->options->lmtp && (j->seen.changed & CHANGED_RCPTS) != 0) {
		accepted = answer_all(s, env, j, worst);
	} else if (s->options->lmtp) {
		accepted = answer_each(s, env, kept);
	} else if (worst != NULL) {
		(void)!smtp_refused(env, worst);
		smtp_reject(s, env);
		return;
	} else {
		reply_accepted(s, env->id);
	}
	if (accepted == 0)
		return;
	log_accepted(s, env, j, accepted);
	s->messages++;
	s->commands = 0;
}

void smtp_deliver(struct smtp *s, struct envelope *env)
{
	struct judged j = {.origin = origin_of(s, env), .flags = flags_of(s, env)};
	struct accept_reply kept = {0};
	err e = spool_finish(&env->spool, &j.body);

	if (e == OK)
		e = smtp_judge(s, env, &j);
	if (e == OK)
		e = accept_message(s, env, &j, &kept);
	if (e == OK)
		answer(s, env, &j, &kept);
	else
		smtp_reject(s, env);
	smtp_judged_end(&j);
}
