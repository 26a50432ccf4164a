/* SPDX-License-Identifier: ISC */
/* The call that makes a message ours. */
#include "base/log.h"
#include "store/acceptance.h"
#include "store/delivered.h"
#include "store/identity.h"
#include "store/notice.h"

static err accept_prepare(struct writer *w, struct job *job)
{
	return acceptance_prepare(w, job->data);
}

static err accept_apply(struct writer *w, struct job *job)
{
	return acceptance_apply(w, job->data);
}

err acceptance_run(struct store *s, struct acceptance *x, bool relay)
{
	static const struct job_kind kind = {.prepare = accept_prepare, .apply = accept_apply};
	struct job job = {.kind = &kind, .data = x};
	err e = acceptance_route(s, x, relay);

	if (e == OK)
		e = writer_do(s->writer, &job);
	if (e == OK)
		acceptance_committed(s, x);
	/* What failed by a statement, such as an id that was used before, is nothing the client could mend. */
	if (e != OK && err_info()->reply == 0)
		return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
	return e;
}

/* By whom it is counted: an account, or a user of this machine but root. "": nobody who submits. */
static str submitter(const struct accept_request *q, struct arena *a)
{
	if (q->account != 0)
		return arena_printf(a, "account %llu", (unsigned long long)q->account);
	bool counted = (q->flags & MESSAGE_LOCAL) != 0 && !str_equal(q->origin->login, STR("uid=0"));
	return counted ? q->origin->login : STR("");
}

static err may_write(struct store *s, const char *from, const struct accept_request *q, struct arena *a)
{
	err e = sessions_check_account(&s->sessions, str_from(from), q->origin->session, q->account);

	for (size_t i = 0; i < q->authors_n && e == OK; i++)
		e = identity_check(s, q->account, q->authors[i].address, a);
	return e;
}

/* Whoever submits is logged in, writes as himself, and has not sent too much. */
static err may_submit(struct store *s, const char *from, const struct accept_request *q, str who, struct arena *a)
{
	uint64_t limit = s->config->limits.messages_per_hour;
	bool first = false;
	err e = q->account == 0 ? OK : may_write(s, from, q, a);

	if (e == OK)
		e = rate_take(&s->rate, who, q->rcpts_n, limit, rt_now(), &first);
	if (e != E_LIMIT || !first)
		return e;
	struct err_info why = *err_info();
	LOG(WARN, "submission.limit", LOG_STR("sid", q->origin->session), LOG_STR("login", q->origin->login),
	    LOG_NUM("limit", limit));
	notice_limit(s, q->account, q->origin->login, limit);
	return err_set(e, why.reply, why.status, "%s", why.text);
}

static err accept_entered(struct store *s, const char *from, struct acceptance *x)
{
	const struct accept_request *q = x->request;
	struct relaying who = {str_from(from), q->origin->session, q->account, q->origin->client,
	                       (q->flags & MESSAGE_LOCAL) != 0};
	err e = store_enter(s);

	if (e != OK)
		return e;
	e = acceptance_run(s, x, store_may_relay(s, &who));
	store_leave(s);
	return e;
}

err store_accept(struct store *s, const char *from, const struct accept_request *q, struct accept_reply *r,
                 struct arena *a)
{
	struct acceptance x;
	err e = acceptance_check(s, q);

	if (e == OK)
		e = acceptance_begin(&x, q, a);
	if (e != OK)
		return e;
	r->answers = x.answers;
	r->answers_n = q->rcpts_n;
	str who = submitter(q, a);
	if (who.n > 0 && (e = may_submit(s, from, q, who, a)) != OK)
		return e;
	e = accept_entered(s, from, &x);
	if (e == OK)
		delivered_report(s, &x);
	if (who.n > 0 && (e != OK || !acceptance_kept(&x)))
		rate_give_back(&s->rate, who, q->rcpts_n);
	return e;
}
