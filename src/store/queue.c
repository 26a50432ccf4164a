/* SPDX-License-Identifier: ISC */
/* The queue's memory: destinations are read when it is opened, rows when it is their turn; a coroutine watches the clock. */
#include "store/queue.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "conf/relay.h"
#include "store/message.h"
#include "store/queue_back.h"
#include "store/queue_clock.h"
#include "store/release.h"

enum { SWEEP_ROWS = 1000, SWEEP_SHARE = 100 };
#define SWEEP_PAUSE (60 * NSEC_PER_SEC) /* also the longest sleep: the wall clock may be set meanwhile */
#define LEASE_TIME  (2 * 3600 * NSEC_PER_SEC)

/* --- the schedule's view of the rows --- */

static err page_fill(void *ctx, const struct lane *lane, uint64_t from, uint64_t limit, struct page *out)
{
	struct store *s = ctx;
	struct query q = db_query(s->db, "SELECT due, message, rcpt FROM queue WHERE destination = ? AND lane = ?"
	                                 " AND due >= ? ORDER BY due, message, rcpt");

	out->next = SCHEDULE_NEVER;
	query_put_str(&q, lane->destination->name);
	query_put_num(&q, lane->number);
	query_put_num(&q, from);
	while (query_row(&q)) {
		uint64_t due = query_num(&q), message = query_num(&q), rcpt = query_num(&q);

		if (leases_have(&s->queue->leases, message, rcpt))
			continue;
		if (due > limit || out->n == SCHEDULE_PAGE) {
			out->next = due < QUEUE_DUE_HELD ? due : SCHEDULE_NEVER;
			break;
		}
		if (out->n == 0)
			out->due = due;
		if (out->n == 0 || out->messages[out->n - 1] != message)
			out->messages[out->n++] = message;
	}
	err e = query_end(&q);
	if (e != OK)
		LOG(ERROR, "queue.fault", LOG_STR("destination", lane->destination->name),
		    LOG_Z("error", err_info()->text));
	return e;
}

void queue_dispatch(struct store *s)
{
	struct queue *q = s->queue;
	struct waiter *w;

	q->schedule.per_destination = s->config->queue.per_destination;
	while ((w = schedule_serve(&q->schedule, queue_now())) != NULL)
		if (w->co != rt_self())
			rt_wake(w->co);
	if (q->co != NULL && q->co != rt_self() && schedule_next(&q->schedule) < q->wake_at)
		rt_wake(q->co);
}

void queue_wake_for_back(struct store *s)
{
	struct queue *q = s->queue;

	q->back = true;
	if (q->co != NULL)
		rt_wake(q->co);
}

static void add(struct store *s, str destination, uint64_t lane, uint64_t due)
{
	struct queue *q = s->queue;

	if (destination.n == 0) /* for a mailbox here */
		release_wake(s);
	else if (due < QUEUE_DUE_HELD && schedule_due(&q->schedule, destination, lane, due, queue_now()) != OK)
		q->missed = true;
}

void queue_added(struct store *s, str destination, uint64_t lane, uint64_t due)
{
	add(s, destination, lane, due);
	queue_dispatch(s);
}

/* Nobody knows any more why it is due later, if it is. */
static void add_found(struct store *s, str destination, uint64_t lane, uint64_t due)
{
	add(s, destination, lane, due);
	struct destination *d = schedule_find(&s->queue->schedule, destination);
	if (d != NULL)
		d->put_off = true;
}

/* The index is asked for one lane after the other, so that it does not matter how many rows there are. */
static err read_destinations(struct store *s)
{
	BUF(name, DESTINATION_MAX);
	uint64_t lane = QUEUE_LANES; /* of "", which is passed over */
	bool found = true;
	err e = OK;

	while (found && e == OK) {
		struct query q = db_query(
			s->db, "SELECT destination, lane, due FROM queue WHERE (destination, lane, due) > (?, ?, ?)"
			       " ORDER BY destination, lane, due LIMIT 1");
		uint64_t due = 0;
		BUF(next, DESTINATION_MAX);

		query_put_str(&q, buf_str(&name));
		query_put_num(&q, lane);
		query_put_num(&q, INT64_MAX);
		found = query_row(&q);
		if (found) {
			buf_put(&next, query_str(&q));
			lane = query_num(&q);
			due = query_num(&q);
		}
		e = query_end(&q);
		buf_reset(&name);
		buf_put(&name, buf_str(&next));
		if (next.full || name.full)
			return err_note(E_MEMORY, "no memory to read the queue's destinations");
		if (found && e == OK)
			add_found(s, buf_str(&name), lane, due);
	}
	return e;
}

/* --- leases that are over --- */

void queue_lease_end(struct store *s, struct lease *lease, uint64_t due)
{
	struct lane *lane = lease->lane;

	leases_remove(&s->queue->leases, lease);
	schedule_lease_end(&s->queue->schedule, lane, due, queue_now());
}

void queue_give_back(struct store *s, struct lease *lease, const char *why)
{
	LOG(WARN, "queue.returned", LOG_ID("mid", lease->message),
	    LOG_STR("destination", lease->lane->destination->name), LOG_Z("from", lease->from),
	    LOG_NUM("rcpts", lease->n), LOG_Z("why", why));
	queue_lease_end(s, lease, lease->due);
}

struct gone {
	struct store *store;
	str from;
};

static void give_back_of(void *arg, struct lease *lease)
{
	const struct gone *g = arg;

	if (!str_equal(str_from(lease->from), g->from))
		return;
	lease->gone = true;
	if (!lease->settling)
		queue_give_back(g->store, lease, "its process is gone");
}

void queue_process_gone(struct store *s, const char *from)
{
	struct gone g = {s, str_take(str_from(from), LEASE_FROM_MAX - 1)};

	leases_each(&s->queue->leases, give_back_of, &g);
	queue_dispatch(s);
}

static void give_back_old(void *arg, struct lease *lease)
{
	if (!lease->settling && rt_now() - lease->since > LEASE_TIME)
		queue_give_back(arg, lease, "it was not settled in two hours");
}

/* --- rows whose time is over, wherever they are: they are moved to where the index finds them first --- */

/* And those that are due later than any attempt is put off: the wall clock was ahead when they were tried, and has been set right since. */
struct sweep {
	struct store *store;
	uint64_t now, latest, after; /* latest: to be due; after: messages up to this one were looked at */
	struct arena arena;
	struct swept {
		struct queue_row row;
		bool over;
	} rows[SWEEP_ROWS];
	size_t n;
	err result;
};

static err find_expired(struct sweep *x, struct db *db)
{
	struct query q = db_query(db, "SELECT message, rcpt, destination, lane, expires FROM queue WHERE message >= ?"
	                              " AND state = 0 AND due > 1 AND (expires <= ? OR (attempts > 0 AND due > ?))"
	                              " ORDER BY message, rcpt LIMIT ?");

	query_put_num(&q, x->after);
	query_put_num(&q, x->now);
	query_put_num(&q, x->latest);
	query_put_num(&q, SWEEP_ROWS);
	x->n = 0;
	while (query_row(&q) && !x->arena.full) {
		struct queue_row *row = &x->rows[x->n].row;

		row->message = x->after = query_num(&q);
		row->rcpt = query_num(&q);
		row->destination = arena_str(&x->arena, query_str(&q));
		row->lane = query_num(&q);
		x->rows[x->n++].over = query_num(&q) <= x->now;
	}
	return query_end(&q);
}

/* In a worker thread. */
static void sweep_read(void *arg)
{
	struct sweep *x = arg;
	struct db *db;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	x->result = find_expired(x, db);
	readers_give(x->store->readers, db);
}

static err sweep_apply(struct writer *w, struct job *job)
{
	const struct sweep *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->n && e == OK; i++) {
		const struct swept *r = &x->rows[i];
		struct query q = db_query(writer_db(w), "UPDATE queue SET due = ? WHERE message = ? AND rcpt = ?"
		                                        " AND state = 0 AND due > 1");

		query_put_num(&q, r->over ? QUEUE_DUE_EXPIRED : x->now);
		query_put_num(&q, r->row.message);
		query_put_num(&q, r->row.rcpt);
		e = query_run(&q);
	}
	return e;
}

/* Whoever was not reached is waited for as long as the clock said then. */
static void tell_swept(const struct sweep *x, const struct swept *r)
{
	if (!r->over)
		schedule_unblock(&x->store->queue->schedule, r->row.destination, x->now);
	add(x->store, r->row.destination, r->row.lane, QUEUE_DUE_EXPIRED);
}

/* With what chance may add to the longest pause (relay/outcome.h), and a minute between two clocks. */
static uint64_t latest_due(const struct config_queue *q, uint64_t now)
{
	uint64_t longest = 3600 * (uint64_t)USEC_PER_SEC;

	for (size_t i = 0; i < q->retries; i++)
		if ((uint64_t)q->retry[i] / 1000 > longest)
			longest = (uint64_t)q->retry[i] / 1000;
	return now + longest + longest / 10 + 60 * (uint64_t)USEC_PER_SEC;
}

static err sweep_step(struct sweep *x)
{
	static const struct job_kind kind = {.apply = sweep_apply};
	struct job job = {.kind = &kind, .data = x};

	x->arena = ARENA_INIT(SWEEP_ROWS * (DESTINATION_MAX + 64));
	rt_work(sweep_read, x);
	err e = x->result;
	if (e == OK && x->n > 0)
		e = writer_do(x->store->writer, &job);
	for (size_t i = 0; i < x->n && e == OK; i++)
		tell_swept(x, &x->rows[i]);
	arena_free(&x->arena);
	return e;
}

static err sweep_expired(struct store *s)
{
	struct sweep *x = calloc(1, sizeof(*x));
	err e = x == NULL ? err_note(E_MEMORY, "no memory to look for mail whose time is over") : OK;

	if (x == NULL)
		return e;
	*x = (struct sweep){.store = s, .now = queue_now()};
	x->latest = latest_due(&s->config->queue, x->now);
	do {
		e = sweep_step(x);
		queue_dispatch(s);
	} while (e == OK && x->n == SWEEP_ROWS && s->closer == NULL);
	free(x);
	return e;
}

/* Takes a hundredth of the time at most, however long the queue. */
static void sweep(struct store *s)
{
	struct queue *q = s->queue;
	nsec begin = rt_now();
	err e = queue_clock_check(s);

	if (e == OK)
		e = sweep_expired(s);
	if (e == OK && q->missed) {
		q->missed = false;
		e = read_destinations(s);
	}
	leases_each(&q->leases, give_back_old, s);
	if (e != OK)
		LOG(WARN, "queue.sweep", LOG_Z("error", err_info()->text));
	nsec pause = SWEEP_SHARE * (rt_now() - begin);
	q->sweep_at = rt_after(pause > SWEEP_PAUSE ? pause : SWEEP_PAUSE);
}

/* --- the coroutine --- */

static nsec sleep_until(const struct queue *q, uint64_t now)
{
	nsec at = q->sweep_at;
	uint64_t next = schedule_next(&q->schedule);

	if (next < now + (uint64_t)(SWEEP_PAUSE / 1000)) {
		nsec due = rt_after(next > now ? (nsec)(next - now) * 1000 + NSEC_PER_MSEC : 0);
		at = due < at ? due : at;
	}
	return at;
}

static void watch(void *arg)
{
	struct store *s = arg;
	struct queue *q = s->queue;

	while (!rt_cancelled()) {
		if (rt_now() >= q->sweep_at)
			sweep(s);
		if (q->back)
			queue_back(s);
		queue_dispatch(s);
		q->wake_at = schedule_next(&q->schedule);
		(void)!rt_park(sleep_until(q, queue_now()));
	}
	q->co = NULL;
	store_leave(s);
}

/* --- open and close --- */

static err start(struct store *s)
{
	err e = read_destinations(s);

	queue_clock_begin(s->queue);
	if (e == OK)
		e = store_enter(s);
	if (e != OK)
		return e;
	s->queue->co = rt_spawn(watch, s, "store-queue");
	if (s->queue->co != NULL)
		return OK;
	store_leave(s);
	return err_note(E_MEMORY, "no memory for the queue");
}

err queue_open(struct store *s)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return err_note(E_MEMORY, "no memory for the queue");
	s->queue = q;
	schedule_init(&q->schedule, s->config->queue.per_destination);
	q->schedule.fill = page_fill;
	q->schedule.ctx = s;
	/* The clock makes the numbers of leases new ones: those of a former start must not be taken for these. */
	leases_init(&q->leases, queue_now());
	map_init(&q->watched);
	return start(s);
}

static void turn_away_all(struct store *s, struct waiters *l)
{
	while (l->head != NULL) {
		struct waiter *w = l->head;

		schedule_leave(&s->queue->schedule, w, queue_now());
		rt_wake(w->co);
	}
}

void queue_close(struct store *s)
{
	struct queue *q = s->queue;

	if (q == NULL)
		return;
	if (q->co != NULL)
		rt_cancel(q->co);
	turn_away_all(s, &q->schedule.any);
	turn_away_all(s, &q->schedule.own);
	fate_close(s);
}

void queue_free(struct store *s)
{
	struct queue *q = s->queue;

	if (q == NULL)
		return;
	schedule_free(&q->schedule);
	leases_free(&q->leases);
	map_free(&q->watched);
	free(q);
	s->queue = NULL;
}
