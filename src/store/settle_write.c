/* SPDX-License-Identifier: ISC */
/* What a settlement changes, in the writer's thread. */
#include "store/settle.h"

#include "store/ledger.h"

void settle_report_lost(struct settling *x, str why)
{
	x->report.nowhere = arena_str(x->arena, why.n > 0 ? why : STR("it was refused"));
}

str settle_report_refusal(const struct settling *x)
{
	return x->report.acceptance.answers[0].text;
}

/* --- in the writer: prepare --- */

static err read_row(struct writer *w, const struct settling *x, struct verdict *v)
{
	struct query q = db_query(writer_db(w), "SELECT state, warned, lane FROM queue WHERE message = ? AND rcpt = ?");

	query_put_num(&q, x->message);
	query_put_num(&q, v->rcpt);
	v->there = query_row(&q);
	if (v->there) {
		v->state = query_num(&q);
		v->warned |= query_num(&q);
		v->lane = query_num(&q);
	}
	return query_end(&q);
}

/* The answer to all this was lost, and it is said again: the report is there already. */
static err was_done(struct writer *w, const struct settling *x, bool *done)
{
	struct query q = db_query(writer_db(w), "SELECT 1 FROM message WHERE id = ?");
	uint64_t one;

	*done = false;
	if (x->lease != NULL || !settle_has_report(x))
		return OK;
	query_put_num(&q, x->request->report);
	return query_one(&q, &one, done);
}

static void pass_over_all(struct settling *x)
{
	for (size_t i = 0; i < x->n; i++)
		x->verdicts[i].there = false;
	x->left = 0;
}

err settle_prepare(struct writer *w, struct job *job)
{
	struct settling *x = job->data;
	bool done;
	err e = OK;

	x->left = 0;
	for (size_t i = 0; i < x->n && e == OK; i++) {
		e = read_row(w, x, &x->verdicts[i]);
		x->left += x->verdicts[i].there;
	}
	if (e == OK)
		e = was_done(w, x, &done);
	if (e == OK && done)
		pass_over_all(x);
	if (e != OK || !settle_has_report(x))
		return e;
	e = acceptance_prepare(w, &x->report.acceptance);
	if (e == OK && !acceptance_kept(&x->report.acceptance))
		settle_report_lost(x, settle_report_refusal(x));
	return e;
}

/* --- in the writer: apply --- */

static str credit_detail(const struct settling *x, const struct verdict *v)
{
	if (x->report.nowhere.n == 0)
		return v->reply;
	return arena_printf(x->arena, STR_FMT "%s(the report had nowhere to go: " STR_FMT ")", STR_ARG(v->reply),
	                    v->reply.n > 0 ? " " : "", STR_ARG(x->report.nowhere));
}

static err apply_credit(struct db *db, const struct settling *x, const struct verdict *v)
{
	const struct ledger_credit c = {
		.message = x->message,
		.rcpt = v->rcpt,
		.at = x->now,
		.kind = v->result == OUTCOME_RELAYED ? LEDGER_RELAYED : LEDGER_BOUNCED,
		.status = v->status,
		.reply = credit_detail(x, v),
		.host = v->host,
		.security = v->security,
	};
	struct query q = db_query(db, "DELETE FROM queue WHERE message = ? AND rcpt = ?");

	query_put_num(&q, x->message);
	query_put_num(&q, v->rcpt);
	err e = query_run(&q);
	if (e == OK && x->arena->full)
		e = err_note(E_MEMORY, "no memory for a settlement");
	return e == OK ? ledger_credit(db, &c) : e;
}

static err apply_later(struct db *db, const struct settling *x, const struct verdict *v)
{
	struct query q = db_query(db, "UPDATE queue SET due = ?, attempts = attempts + 1, warned = ?, unreached = ?,"
	                              " reply = ? WHERE message = ? AND rcpt = ?");

	query_put_num(&q, settle_due(v));
	query_put_num(&q, v->warned);
	query_put_num(&q, x->request->destination_due != 0);
	query_put_str(&q, v->reply);
	query_put_num(&q, x->message);
	query_put_num(&q, v->rcpt);
	return query_run(&q);
}

static err apply_moved(struct db *db, const struct settling *x, const struct verdict *v)
{
	struct query q = db_query(db, "UPDATE queue SET due = ?, destination = ? WHERE message = ? AND rcpt = ?");

	query_put_num(&q, settle_due(v));
	query_put_str(&q, v->destination);
	query_put_num(&q, x->message);
	query_put_num(&q, v->rcpt);
	return query_run(&q);
}

static err add_attempt(struct db *db, const struct settling *x, const struct verdict *v)
{
	struct query q = db_query(db, "INSERT INTO attempt (message, rcpt, at, status, host, reply, security)"
	                              " VALUES (?, ?, ?, ?, ?, ?, ?)");

	query_put_num(&q, x->message);
	query_put_num(&q, v->rcpt);
	query_put_num(&q, x->now);
	query_put_str(&q, v->status);
	query_put_str(&q, v->host);
	query_put_str(&q, v->reply);
	query_put_str(&q, v->security);
	return query_run(&q);
}

static err apply_verdict(struct db *db, const struct settling *x, const struct verdict *v)
{
	if (v->result == OUTCOME_RELAYED || v->result == OUTCOME_FAILED)
		return apply_credit(db, x, v);
	if (v->result == OUTCOME_MOVED)
		return apply_moved(db, x, v);
	err e = apply_later(db, x, v);
	return e == OK ? add_attempt(db, x, v) : e;
}

err settle_apply(struct writer *w, struct job *job)
{
	struct settling *x = job->data;
	size_t removed = 0;
	err e = OK;

	for (size_t i = 0; i < x->n && e == OK; i++) {
		const struct verdict *v = &x->verdicts[i];

		if (!v->there)
			continue;
		e = apply_verdict(writer_db(w), x, v);
		removed += v->result == OUTCOME_RELAYED || v->result == OUTCOME_FAILED;
	}
	if (e == OK && removed > 0)
		e = message_release(w, x->message, removed);
	return e == OK && settle_has_report(x) ? acceptance_apply(w, &x->report.acceptance) : e;
}
