/* SPDX-License-Identifier: ISC */
/* A host that was not reached is back: what was put off because of it, and for no other reason, is due at once. */
#include "store/queue_back.h"

#include <stdlib.h>

#include "base/log.h"
#include "conf/relay.h"

enum { STEP = 1000 };

struct back {
	struct store *store;
	struct buf destination;
	uint64_t now, lane, due; /* lane, due: up to there all were looked at */
	struct queue_row rows[STEP];
	size_t n, total;
	err result;
};

/* In a worker thread. */
static err find(struct back *x, struct db *db)
{
	struct query q = db_query(
		db, "SELECT message, rcpt, lane, due FROM queue WHERE destination = ? AND (lane, due) >= (?, ?)"
		    " AND due > ? AND due < ? AND unreached = 1 AND state = 0 ORDER BY lane, due LIMIT ?");

	query_put_str(&q, buf_str(&x->destination));
	query_put_num(&q, x->lane);
	query_put_num(&q, x->due);
	query_put_num(&q, x->now);
	query_put_num(&q, QUEUE_DUE_HELD);
	query_put_num(&q, STEP);
	x->n = 0;
	while (x->n < STEP && query_row(&q)) {
		struct queue_row *row = &x->rows[x->n++];

		row->message = query_num(&q);
		row->rcpt = query_num(&q);
		row->lane = x->lane = query_num(&q);
		x->due = query_num(&q);
	}
	return query_end(&q);
}

static void find_in_thread(void *arg)
{
	struct back *x = arg;
	struct db *db;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	x->result = find(x, db);
	readers_give(x->store->readers, db);
}

static err apply(struct writer *w, struct job *job)
{
	const struct back *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->n && e == OK; i++) {
		struct query q = db_query(writer_db(w), "UPDATE queue SET due = ?, unreached = 0 WHERE message = ?"
		                                        " AND rcpt = ? AND unreached = 1 AND state = 0 AND due > ?");

		query_put_num(&q, x->now);
		query_put_num(&q, x->rows[i].message);
		query_put_num(&q, x->rows[i].rcpt);
		query_put_num(&q, x->now);
		e = query_run(&q);
	}
	return e;
}

static void tell(const struct back *x)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct queue_row *row = &x->rows[i];

		if (i == 0 || row->lane != x->rows[i - 1].lane)
			queue_added(x->store, buf_str(&x->destination), row->lane, x->now);
		fate_changed(x->store, row->message);
	}
}

static err step(struct back *x)
{
	static const struct job_kind kind = {.apply = apply};
	struct job job = {.kind = &kind, .data = x};

	rt_work(find_in_thread, x);
	err e = x->result;
	if (e == OK && x->n > 0)
		e = writer_do(x->store->writer, &job);
	if (e != OK)
		return e;
	x->total += x->n;
	tell(x);
	return OK;
}

/* The name of one that is back; false: there is none. */
static bool take_one(struct queue *q, struct buf *name)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&q->schedule.by_name, &at, &key, &value)) {
		struct destination *d = value;

		if (!d->back)
			continue;
		d->back = false;
		buf_put(name, d->name);
		return true;
	}
	return false;
}

static err flush_one(struct store *s, struct back *x)
{
	err e = OK;

	do
		e = step(x);
	while (e == OK && x->n == STEP && s->closer == NULL);
	if (e != OK)
		LOG(WARN, "queue.back", LOG_STR("destination", buf_str(&x->destination)),
		    LOG_Z("error", err_info()->text));
	else if (x->total > 0)
		LOG(INFO, "queue.back", LOG_STR("destination", buf_str(&x->destination)), LOG_NUM("rows", x->total));
	return e;
}

void queue_back(struct store *s)
{
	struct back *x = calloc(1, sizeof(*x));
	bool more = x != NULL;

	s->queue->back = false;
	while (more && s->closer == NULL) {
		*x = (struct back){.store = s, .destination = BUF_INIT(DESTINATION_MAX), .now = queue_now()};
		more = take_one(s->queue, &x->destination) && flush_one(s, x) == OK;
		buf_free(&x->destination);
	}
	free(x);
}
