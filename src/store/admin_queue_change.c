/* SPDX-License-Identifier: ISC */
/* pombo queue retry, flush, hold, release, fail, drop, and pombo quarantine release, drop: what is meant is found by a worker, some at a time, and changed by the writer. */
#include "base/date.h"
#include "base/log.h"
#include "store/ledger.h"
#include "store/lesson.h"
#include "store/message.h"
#include "store/queue_filter.h"

enum { STEP = 500, STEP_OCTETS = 1 << 20 };

struct queue_change;

struct queue_verb {
	const char *name;
	/* Of one recipient; db_changes tells whether there was anything to be changed. */
	err (*apply)(struct db *db, const struct queue_change *c, const struct queue_row *row);
	bool everything; /* may be said without a filter */
	bool gone;       /* the row is no more */
	bool soon;       /* there is something to be done for the destination */
	bool unblock;
	bool quarantine; /* mail there, and it is learned from: what goes is spam, what is let go is not */
};

struct queue_change {
	const struct queue_verb *verb;
	struct store *store;
	struct queue_filter *filter;
	struct queue_mark mark;
	struct arena arena; /* of a step */
	struct queue_row rows[STEP];
	size_t n;
	uint64_t now, affected, sending, step_affected;
	err result; /* of finding them */
};

/* --- the verbs --- */

static err run_for(struct query *q, const struct queue_row *row)
{
	query_put_num(q, row->message);
	query_put_num(q, row->rcpt);
	return query_run(q);
}

/* What is due already keeps its place. */
static err apply_retry(struct db *db, const struct queue_change *c, const struct queue_row *row)
{
	struct query q = db_query(db, "UPDATE queue SET due = CASE WHEN due > ? THEN ? ELSE due END"
	                              " WHERE state = 0 AND message = ? AND rcpt = ?");

	query_put_num(&q, c->now);
	query_put_num(&q, c->now);
	return run_for(&q, row);
}

static err apply_hold(struct db *db, const struct queue_change *c, const struct queue_row *row)
{
	struct query q = db_query(
		db, "UPDATE queue SET state = 1, due = due + ?, reply = CASE WHEN ? = '' THEN reply ELSE ? END,"
		    " destination = CASE WHEN destination = '" QUEUE_FAILED_HERE "' THEN '' ELSE destination END"
		    " WHERE state NOT IN (1, 3) AND message = ? AND rcpt = ?");

	query_put_num(&q, QUEUE_DUE_HELD);
	query_put_str(&q, c->filter->reason);
	query_put_str(&q, c->filter->reason);
	return run_for(&q, row);
}

static err apply_release(struct db *db, const struct queue_change *c UNUSED, const struct queue_row *row)
{
	struct query q = db_query(db, "UPDATE queue SET state = 0, due = due - ?"
	                              " WHERE state = 1 AND message = ? AND rcpt = ?");

	query_put_num(&q, QUEUE_DUE_HELD);
	return run_for(&q, row);
}

static err apply_fail(struct db *db, const struct queue_change *c, const struct queue_row *row)
{
	struct query q =
		db_query(db, "UPDATE queue SET state = 2, due = ?, reply = CASE WHEN ? = '' THEN reply ELSE ? END"
	                     " WHERE state NOT IN (2, 3) AND message = ? AND rcpt = ?");

	query_put_num(&q, QUEUE_DUE_FAIL);
	query_put_str(&q, c->filter->reason);
	query_put_str(&q, c->filter->reason);
	return run_for(&q, row);
}

static err apply_drop(struct db *db, const struct queue_change *c UNUSED, const struct queue_row *row)
{
	struct query q = db_query(db, "DELETE FROM queue WHERE state <> 3 AND message = ? AND rcpt = ?");

	return run_for(&q, row);
}

/* It is sent as long as mail that comes now. */
static err apply_let_go(struct db *db, const struct queue_change *c, const struct queue_row *row)
{
	struct query q = db_query(db, "UPDATE queue SET state = 0, due = ?, expires = CASE WHEN expires < ? THEN ? ELSE"
	                              " expires END WHERE state = 3 AND message = ? AND rcpt = ?");
	uint64_t expires = c->now + (uint64_t)(c->store->config->queue.expire / (NSEC_PER_SEC / USEC_PER_SEC));

	query_put_num(&q, c->now);
	query_put_num(&q, expires);
	query_put_num(&q, expires);
	return run_for(&q, row);
}

static err apply_discard(struct db *db, const struct queue_change *c UNUSED, const struct queue_row *row)
{
	struct query q = db_query(db, "DELETE FROM queue WHERE state = 3 AND message = ? AND rcpt = ?");

	return run_for(&q, row);
}

static const struct queue_verb retry = {
	.name = "retry", .apply = apply_retry, .everything = true, .soon = true, .unblock = true};
static const struct queue_verb flush = {.name = "flush", .apply = apply_retry, .soon = true, .unblock = true};
static const struct queue_verb hold = {.name = "hold", .apply = apply_hold};
static const struct queue_verb release = {.name = "release", .apply = apply_release, .soon = true};
static const struct queue_verb fail = {.name = "fail", .apply = apply_fail, .soon = true};
static const struct queue_verb drop = {.name = "drop", .apply = apply_drop, .gone = true};
static const struct queue_verb let_go = {.name = "release", .apply = apply_let_go, .soon = true, .quarantine = true};
static const struct queue_verb discard = {.name = "drop", .apply = apply_discard, .gone = true, .quarantine = true};

/* --- in the writer --- */

static str detail_of(const struct queue_change *c)
{
	if (c->filter->reason.n > 0)
		return c->filter->reason;
	return c->verb->quarantine ? STR("quarantine") : STR("dropped by the administrator");
}

static err write_off(struct writer *w, const struct queue_change *c, const struct queue_row *row)
{
	const struct ledger_credit credit = {
		.message = row->message,
		.rcpt = row->rcpt,
		.at = c->now,
		.kind = LEDGER_DISCARDED,
		.status = STR(""),
		.reply = detail_of(c),
		.host = STR(""),
		.security = STR(""),
	};
	err e = ledger_credit(writer_db(w), &credit);

	return e == OK ? message_release(w, row->message, 1) : e;
}

static err change_apply(struct writer *w, struct job *job)
{
	struct queue_change *c = job->data;
	err e = OK;

	c->step_affected = 0;
	for (size_t i = 0; i < c->n && e == OK; i++) {
		e = c->verb->apply(writer_db(w), c, &c->rows[i]);
		size_t changed = e == OK ? db_changes(writer_db(w)) : 0;
		c->step_affected += changed;
		if (changed > 0 && c->verb->gone)
			e = write_off(w, c, &c->rows[i]);
	}
	return e;
}

/* --- finding them --- */

static err find(struct queue_change *c, struct db *db)
{
	struct query q = queue_walk(db, c->filter, &c->mark);
	struct queue_entry entry;

	c->n = 0;
	while (c->n < STEP && queue_walk_next(&q, c->filter, &c->mark, &entry))
		c->rows[c->n++] = (struct queue_row){entry.message, entry.rcpt, arena_str(&c->arena, entry.destination),
		                                     entry.lane};
	return query_end(&q);
}

static void find_in_thread(void *arg)
{
	struct queue_change *c = arg;
	struct db *db;

	c->result = readers_take(c->store->readers, &db);
	if (c->result != OK)
		return;
	c->result = find(c, db);
	readers_give(c->store->readers, db);
}

/* Who is being sent to at this moment cannot be called back. */
static void leave_out_sending(struct queue_change *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n && c->verb->gone; i++) {
		if (leases_have(&c->store->queue->leases, c->rows[i].message, c->rows[i].rcpt))
			c->sending++;
		else
			c->rows[kept++] = c->rows[i];
	}
	if (c->verb->gone)
		c->n = kept;
}

/* --- afterwards --- */

static void tell_schedule(struct queue_change *c)
{
	const struct queue_row *last = NULL;

	for (size_t i = 0; i < c->n && (c->verb->soon || c->verb->unblock); i++) {
		const struct queue_row *row = &c->rows[i];

		if (last != NULL && last->lane == row->lane && str_equal(last->destination, row->destination))
			continue;
		last = row;
		if (c->verb->unblock)
			schedule_unblock(&c->store->queue->schedule, row->destination, c->now);
		queue_added(c->store, row->destination, row->lane,
		            QUEUE_DUE_FAIL); /* it is looked at from the beginning */
	}
}

static void tell(struct queue_change *c)
{
	c->affected += c->step_affected;
	tell_schedule(c);
	for (size_t i = 0; i < c->n; i++)
		if (i == 0 || c->rows[i].message != c->rows[i - 1].message)
			fate_changed(c->store, c->rows[i].message);
}

/* That nothing can be learned from it is no reason not to do it. */
static void learn(struct queue_change *c)
{
	uint64_t messages[STEP];
	size_t n = 0;

	for (size_t i = 0; i < c->n && c->verb->quarantine; i++)
		if (n == 0 || messages[n - 1] != c->rows[i].message)
			messages[n++] = c->rows[i].message;
	if (n > 0 && store_lesson_add(c->store, 0, messages, &n, c->verb->gone) != OK)
		LOG(WARN, "queue.learn", LOG_Z("error", err_info()->text));
}

static err change_step(struct queue_change *c, bool *end)
{
	static const struct job_kind kind = {.apply = change_apply, .alone = true};
	struct job job = {.kind = &kind, .data = c};

	c->arena = ARENA_INIT(STEP_OCTETS);
	c->step_affected = 0;
	rt_work(find_in_thread, c);
	err e = c->result;
	*end = c->n < STEP;
	leave_out_sending(c);
	if (e == OK && c->n > 0)
		e = writer_do(c->store->writer, &job);
	if (e == OK) {
		tell(c);
		learn(c);
	}
	arena_free(&c->arena);
	return e;
}

/* As long as whoever asked is there to be told. */
static err change_all(struct queue_change *c)
{
	bool end = false;
	err e = OK;

	while (e == OK && !end && !rt_cancelled() && c->store->closer == NULL)
		e = change_step(c, &end);
	if (e == OK && !end)
		e = err_note(E_TEMP, "it was not done to the end; %llu were changed", (unsigned long long)c->affected);
	return e;
}

static void log_change(const struct admin *x, const struct queue_change *c)
{
	BUF(words, 2000);

	for (size_t i = 2; i < x->request->words_n; i++) {
		buf_put(&words, i > 2 ? STR(" ") : STR(""));
		buf_put(&words, admin_word(x, i));
	}
	LOG(INFO, "queue.change", LOG_STR("of", admin_word(x, 0)), LOG_Z("verb", c->verb->name),
	    LOG_STR("what", buf_str(&words)), LOG_NUM("affected", c->affected));
}

static err answer(struct admin *x, const struct queue_change *c)
{
	log_change(x, c);
	if (c->affected == 0 && c->sending == 0 && c->filter->id != 0)
		return err_note(E_NOT_FOUND, "there is nothing of that message to %s", c->verb->name);
	struct row *row = admin_row(x);
	admin_num(x, row, "affected", c->affected);
	if (c->sending > 0)
		admin_num(x, row, "being-sent", c->sending);
	return OK;
}

static err change_filtered(struct admin *x, const struct queue_verb *verb, struct queue_filter *f)
{
	struct queue_change *c = arena_alloc(x->arena, sizeof(*c));

	if (c == NULL)
		return err_note(E_MEMORY, "no memory to change the queue");
	c->verb = verb;
	c->store = x->store;
	c->filter = f;
	c->now = queue_now();
	err e = change_all(c);
	return e == OK ? answer(x, c) : e;
}

static err change(struct admin *x, const struct queue_verb *verb, const char *usage)
{
	struct queue_filter f;
	err e = queue_filter_read(x, &f);

	if (e == OK && !f.given && !verb->everything)
		e = admin_usage(usage);
	if (verb->quarantine)
		f.shown = SHOWN_QUARANTINED;
	return e == OK ? change_filtered(x, verb, &f) : e;
}

err queue_retry(struct admin *x)
{
	return change(x, &retry, "");
}

err queue_hold(struct admin *x)
{
	return change(x, &hold, "queue hold ID|FILTER...|all [reason=TEXT]");
}

err queue_release(struct admin *x)
{
	return change(x, &release, "queue release ID|FILTER...|all");
}

err queue_fail(struct admin *x)
{
	return change(x, &fail, "queue fail ID|FILTER...|all [reason=TEXT]");
}

err queue_drop(struct admin *x)
{
	return change(x, &drop, "queue drop ID|FILTER...|all [reason=TEXT]");
}

/* A host is back: what waits for it is tried now. */
err queue_flush(struct admin *x)
{
	str site = arena_lower(x->arena, admin_word(x, 2));
	struct queue_filter f = {.given = true, .site = &site};

	if (x->request->words_n != 3)
		return admin_usage("queue flush DOMAIN");
	return change_filtered(x, &flush, &f);
}

/* As if it had come now, and not been found to be anything. */
err quarantine_release(struct admin *x)
{
	return change(x, &let_go, "quarantine release ID|FILTER...|all");
}

/* Nobody is told: whoever it says it is from may not have sent it. */
err quarantine_drop(struct admin *x)
{
	return change(x, &discard, "quarantine drop ID|FILTER...|all [reason=TEXT]");
}
