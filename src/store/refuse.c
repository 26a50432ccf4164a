/* SPDX-License-Identifier: ISC */
#include "store/refuse.h"

#include <stdlib.h>

#include "base/log.h"
#include "store/judged.h"

#define GATHER         (200 * NSEC_PER_MSEC)
#define WAITING_OCTETS (8u << 20)
enum { REQUEST_MAX = 1 << 20, REQUEST_MEMORY = 4 << 20, RCPTS_TOLD = 10, TEXT_MAX = 1000 };

/* A request, packed: what it points at is not ours. */
struct refusal {
	struct refusal *next;
	uint64_t at;
	size_t n;
	char packed[];
};

struct refusals {
	struct store *store;
	struct co *co; /* NULL: it does not run */
	struct refusal *first, **last;
	size_t octets;
	uint64_t lost; /* since the last that was written */
};

struct writing {
	struct refusal *list;
};

/* --- in the writer --- */

static str cut(str s)
{
	return str_take(s, TEXT_MAX);
}

static str rcpts_of(const struct refuse_request *r, struct arena *a)
{
	BUF(out, 64 << 10);

	for (size_t i = 0; i < r->rcpts_n && i < RCPTS_TOLD; i++) {
		buf_puts(&out, i > 0 ? " " : "");
		buf_put(&out, cut(r->rcpts[i].address));
	}
	return arena_str(a, buf_str(&out));
}

static err insert(struct db *db, const struct refuse_request *r, uint64_t at, struct arena *a)
{
	struct query q =
		db_query(db, "INSERT INTO refusal (id, at, session, client, helo, sender, rcpts, message_id, subject,"
	                     " detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING");
	str detail = arena_printf(a, "%llu " STR_FMT " " STR_FMT, (unsigned long long)r->reply, STR_ARG(cut(r->status)),
	                          STR_ARG(cut(r->text)));

	query_put_num(&q, r->id);
	query_put_num(&q, at);
	query_put_str(&q, cut(r->origin->session));
	query_put_str(&q, cut(r->origin->client));
	query_put_str(&q, cut(r->origin->helo));
	query_put_str(&q, cut(r->sender));
	query_put_str(&q, rcpts_of(r, a));
	query_put_str(&q, cut(r->message_id));
	query_put_str(&q, cut(r->subject));
	query_put_str(&q, detail);
	return query_run(&q);
}

static err write_one(struct db *db, const struct refusal *x)
{
	ARENA(a, REQUEST_MEMORY);
	struct cursor c = cursor_of(str_make(x->packed, x->n));
	struct record_fds none = {0};
	struct refuse_request r;
	err e = record_unpack(&record_refuse_request, &c, &r, &a, &none);

	if (e != OK || r.origin_n != 1)
		return OK; /* larger than it may be: nobody waits for it */
	e = insert(db, &r, x->at, &a);
	return e == OK && r.judgement_n > 0 ? judged_keep(db, r.id, x->at, r.judgement) : e;
}

static err refusals_apply(struct writer *w, struct job *job)
{
	const struct writing *x = job->data;
	err e = OK;

	for (const struct refusal *r = x->list; r != NULL && e == OK; r = r->next)
		e = write_one(writer_db(w), r);
	return e;
}

/* --- on the loop --- */

static void free_list(struct refusal *r)
{
	while (r != NULL) {
		struct refusal *next = r->next;

		free(r);
		r = next;
	}
}

static struct refusal *take_all(struct refusals *all)
{
	struct refusal *list = all->first;

	all->first = NULL;
	all->last = &all->first;
	all->octets = 0;
	return list;
}

/* An empty job comes after all that are under way. */
static err write_all(struct refusals *all)
{
	static const struct job_kind kind = {.apply = refusals_apply};
	struct writing x = {take_all(all)};
	struct job job = {.kind = &kind, .data = &x};
	uint64_t lost = all->lost;

	all->lost = 0;
	err e = writer_do(all->store->writer, &job);
	free_list(x.list);
	if (e != OK || lost > 0)
		LOG(WARN, "store.refusals", LOG_NUM("lost", lost), LOG_Z("error", e == OK ? "" : err_info()->text));
	return e;
}

static void refusals_run(void *arg)
{
	struct store *s = arg;
	struct refusals *all = s->refusals;

	while (!rt_cancelled() || all->first != NULL) {
		while (all->first == NULL && rt_park(RT_NEVER) == OK)
			continue;
		(void)!rt_sleep_until(rt_after(GATHER));
		if (all->first != NULL)
			(void)!write_all(all);
	}
	all->co = NULL;
	store_leave(s);
}

err refusals_flush(struct store *s)
{
	return write_all(s->refusals);
}

err refusals_start(struct store *s)
{
	struct refusals *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return err_note(E_MEMORY, "no memory for refusals");
	*all = (struct refusals){.store = s, .last = &all->first};
	s->refusals = all;
	err e = store_enter(s);
	if (e != OK)
		return e;
	all->co = rt_spawn(refusals_run, s, "store-refusals");
	if (all->co != NULL)
		return OK;
	store_leave(s);
	return err_note(E_MEMORY, "no memory for refusals");
}

void refusals_stop(struct store *s)
{
	if (s->refusals != NULL && s->refusals->co != NULL)
		rt_cancel(s->refusals->co);
}

void refusals_free(struct store *s)
{
	if (s->refusals == NULL)
		return;
	free_list(s->refusals->first);
	free(s->refusals);
	s->refusals = NULL;
}

static struct refusal *refusal_of(const struct refuse_request *q)
{
	BUF(packed, REQUEST_MAX);
	struct record_fds none = {0};

	record_pack(&record_refuse_request, q, &packed, &none);
	struct refusal *r = packed.full || none.too_long ? NULL : malloc(sizeof(*r) + packed.n);
	if (r == NULL)
		return NULL;
	r->next = NULL;
	r->at = (uint64_t)rt_wall();
	r->n = packed.n;
	memcpy(r->packed, packed.p, packed.n);
	return r;
}

err store_refuse(struct store *s, const struct refuse_request *q)
{
	struct refusals *all = s->refusals;

	if (q->id == 0 || q->id >= s->next_id || q->origin_n != 1)
		return err_set(E_PERM, 554, "5.5.0", "The transaction is malformed");
	struct refusal *r = all->octets < WAITING_OCTETS && s->closer == NULL ? refusal_of(q) : NULL;
	if (r == NULL) {
		all->lost++;
		return OK;
	}
	*all->last = r;
	all->last = &r->next;
	all->octets += r->n;
	if (all->co != NULL)
		rt_wake(all->co);
	return OK;
}
