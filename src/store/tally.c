/* SPDX-License-Identifier: ISC */
/* The call `tally`: what was counted for reports to other domains, domain by domain, each until it is said to be done. */
#include "store/state.h"

enum { ROWS_MAX = 20000, PORTION = 500 };
#define ROW_OCTETS (640u << 10) /* a reply is one frame */

struct telling {
	struct store *store;
	const struct tally_request *request;
	struct tally_reply *reply;
	struct arena *arena;
	size_t octets;
	err result;
};

struct dropping {
	str domain;
	uint64_t until;
	size_t dropped; /* of the last portion */
};

static err drop_apply(struct writer *w, struct job *job)
{
	struct dropping *x = job->data;
	struct query q =
		db_query(writer_db(w), "DELETE FROM tally WHERE (domain, day, row) IN"
	                               " (SELECT domain, day, row FROM tally WHERE domain = ? AND day < ? LIMIT ?)");

	query_put_str(&q, x->domain);
	query_put_num(&q, x->until);
	query_put_num(&q, PORTION);
	err e = query_run(&q);
	x->dropped = e == OK ? db_changes(writer_db(w)) : 0;
	return e;
}

/* Half a million rows at once would hold up mail: what waits to be kept comes in between. A crash in between leaves some, which are told once more. */
static err drop(struct store *s, str domain, uint64_t until)
{
	static const struct job_kind kind = {.apply = drop_apply};
	struct dropping x = {.domain = domain, .until = until};
	err e = OK;

	do {
		struct job job = {.kind = &kind, .data = &x};
		e = writer_do(s->writer, &job);
	} while (e == OK && x.dropped == PORTION);
	return e;
}

static err find_domain(struct telling *x, struct db *db)
{
	struct query q = db_query(
		db, "SELECT domain, min(day) FROM tally WHERE day < ? AND domain > ? GROUP BY domain ORDER BY domain"
		    " LIMIT 1");

	query_put_num(&q, x->request->until);
	query_put_str(&q, x->request->after);
	if (query_row(&q)) {
		x->reply->domain = arena_str(x->arena, query_str(&q));
		x->reply->from = query_num(&q);
	}
	return query_end(&q);
}

/* The weightiest first: somebody who forges mail in many ways makes more rows than a report can have. */
static err read_rows(struct telling *x, struct db *db)
{
	struct tally_reply *r = x->reply;
	struct query q = db_query(db, "SELECT row, sum(count) FROM tally WHERE domain = ? AND day < ? GROUP BY row"
	                              " ORDER BY 2 DESC, 1 LIMIT ?");

	r->rows = arena_array(x->arena, ROWS_MAX, sizeof(*r->rows));
	if (r->rows == NULL)
		return err_note(E_MEMORY, "no memory for what was counted");
	query_put_str(&q, r->domain);
	query_put_num(&q, x->request->until);
	query_put_num(&q, ROWS_MAX);
	while (r->rows_n < ROWS_MAX && x->octets < ROW_OCTETS && query_row(&q)) {
		struct tally_row *row = &r->rows[r->rows_n++];

		row->row = arena_str(x->arena, query_str(&q));
		row->count = query_num(&q);
		x->octets += row->row.n;
	}
	return query_end(&q);
}

/* In a worker thread. */
static void tell(void *arg)
{
	struct telling *x = arg;
	struct db *db;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	x->result = find_domain(x, db);
	if (x->result == OK && x->reply->domain.n > 0)
		x->result = read_rows(x, db);
	readers_give(x->store->readers, db);
}

static err tally_entered(struct telling *x)
{
	struct tally_request q = *x->request;
	err e = OK;

	q.until &= INT64_MAX;
	x->request = &q;
	if (q.done.n > 0)
		e = drop(x->store, q.done, q.until);
	if (e == OK) {
		rt_work(tell, x);
		e = x->result;
	}
	return e == OK && x->arena->full ? err_note(E_LIMIT, "what was counted is too much for an answer") : e;
}

err store_tally(struct store *s, const struct tally_request *q, struct tally_reply *r, struct arena *a)
{
	struct telling x = {.store = s, .request = q, .reply = r, .arena = a};
	err e = store_enter(s);

	if (e != OK)
		return e;
	r->domain = STR("");
	e = tally_entered(&x);
	store_leave(s);
	return e;
}
