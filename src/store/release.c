/* SPDX-License-Identifier: ISC */
#include "store/release.h"

#include "base/log.h"
#include "store/envelope.h"
#include "store/ledger.h"
#include "store/message.h"
#include "store/queue_state.h"
#include "store/route.h"

enum { BATCH = 100 };
#define PAUSE (60 * NSEC_PER_SEC) /* the longest sleep: the wall clock may be set meanwhile */

/* One recipient whose time has come. */
struct held {
	uint64_t message, rcpt, state;
	str sender, address, original, trust;
	uint64_t item_flags;
	uint64_t octets; /* headers and body */
	/* the writer's */
	bool there;                    /* the row: nobody was faster */
	struct mailbox_state *mailbox; /* NULL: it is gone */
	struct envelope_rcpt to;
	str prefix;
};

struct release {
	struct store *store;
	uint64_t now;
	struct arena arena;
	struct held rows[BATCH];
	size_t n;
};

/* --- on the loop --- */

static err read_rows(struct release *x)
{
	struct query q = db_query(x->store->db,
	                          "SELECT q.message, q.rcpt, q.state, q.sender, l.address, l.original, q.trust, "
	                          "q.item_flags, m.body FROM queue q"
	                          " JOIN ledger l ON l.message = q.message AND l.rcpt = q.rcpt AND l.side = 0"
	                          " JOIN message m ON m.id = q.message"
	                          " WHERE q.destination = '' AND q.lane = 0 AND q.due <= ? ORDER BY q.due LIMIT ?");

	query_put_num(&q, x->now);
	query_put_num(&q, BATCH);
	while (x->n < BATCH && query_row(&q)) {
		struct held *h = &x->rows[x->n++];

		h->message = query_num(&q);
		h->rcpt = query_num(&q);
		h->state = query_num(&q);
		h->sender = arena_str(&x->arena, query_str(&q));
		h->address = arena_str(&x->arena, query_str(&q));
		h->original = arena_str(&x->arena, query_str(&q));
		h->trust = arena_str(&x->arena, query_str(&q));
		h->item_flags = query_num(&q);
		h->octets = query_num(&q);
	}
	err e = query_end(&q);
	return e == OK && x->arena.full ? err_note(E_MEMORY, "no memory to release mail") : e;
}

static err next_due(struct store *s, uint64_t *due, bool *any)
{
	struct query q =
		db_query(s->db, "SELECT due FROM queue WHERE destination = '' AND lane = 0 ORDER BY due LIMIT 1");

	return query_one(&q, due, any);
}

/* --- in the writer --- */

static err find_row(struct db *db, struct held *h)
{
	struct query q = db_query(db, "SELECT 1 FROM queue WHERE message = ? AND rcpt = ? AND state = ?");
	uint64_t one;

	query_put_num(&q, h->message);
	query_put_num(&q, h->rcpt);
	query_put_num(&q, h->state);
	return query_one(&q, &one, &h->there);
}

/* The account may have been removed, and perhaps made anew. One that takes no mail now took this one when it came. */
static err find_mailbox(struct writer *w, struct held *h)
{
	size_t at = str_find_last(h->address, '@');
	struct route_target t = {0};
	bool disabled;
	err e = route_account(writer_db(w), str_take(h->address, at), str_drop(h->address, at + 1), &t, &disabled);

	h->mailbox = NULL;
	if (e == OK)
		e = counters_mailbox(writer_counters(w), writer_db(w), t.mailbox, &h->mailbox);
	return e == E_NOT_FOUND ? OK : e;
}

static err prepare_one(struct writer *w, struct release *x, struct held *h)
{
	err e = find_row(writer_db(w), h);

	if (e == OK && h->there && h->state == QUEUE_WAITING)
		e = find_mailbox(w, h);
	if (e != OK || !h->there || h->mailbox == NULL)
		return e;
	struct mailbox_state *m = h->mailbox;
	h->to = (struct envelope_rcpt){.address = h->address,
	                               .original = h->original,
	                               .mailbox = m->id,
	                               .uid = m->now.uidnext,
	                               .modseq = m->now.modseq + 1,
	                               .item_flags = h->item_flags,
	                               .trust = h->trust};
	struct envelope e1 = {.sender = h->sender, .rcpts = &h->to, .rcpts_n = 1};
	h->prefix = envelope_prefix(&e1, m->id, &x->arena);
	if (x->arena.full)
		return err_note(E_MEMORY, "no memory to release mail");
	counters_add(writer_counters(w), m, h->prefix.n + h->octets);
	return OK;
}

static err release_prepare(struct writer *w, struct job *job)
{
	struct release *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->n && e == OK; i++)
		e = prepare_one(w, x, &x->rows[i]);
	return e;
}

static err delete_row(struct db *db, const struct held *h)
{
	struct query q = db_query(db, "DELETE FROM queue WHERE message = ? AND rcpt = ?");

	query_put_num(&q, h->message);
	query_put_num(&q, h->rcpt);
	return query_run(&q);
}

/* The row of the queue becomes one of the mailbox: the message is shown by as many as before. */
static err deliver(struct db *db, const struct release *x, const struct held *h)
{
	struct envelope e1 = {.id = h->message, .received = x->now};
	err e = item_insert(db, &e1, &h->to, h->prefix, h->prefix.n + h->octets);

	if (e == OK)
		e = change_add(db, h->to.mailbox, h->to.modseq, h->to.uid, CHANGE_ADDED);
	if (e == OK)
		e = ledger_mailbox(db, h->message, h->rcpt, x->now, &h->to);
	return e == OK ? delete_row(db, h) : e;
}

static err hold(struct db *db, const struct held *h)
{
	struct query q = db_query(db, "UPDATE queue SET state = 1, due = due + ?, reply = 'the account is gone'"
	                              " WHERE message = ? AND rcpt = ?");

	query_put_num(&q, QUEUE_DUE_HELD);
	query_put_num(&q, h->message);
	query_put_num(&q, h->rcpt);
	return query_run(&q);
}

/* The administrator wants it failed: with a report, which `send` makes. */
static err fail(struct db *db, const struct held *h)
{
	struct query q =
		db_query(db, "UPDATE queue SET destination = '" QUEUE_FAILED_HERE "' WHERE message = ? AND rcpt = ?");

	query_put_num(&q, h->message);
	query_put_num(&q, h->rcpt);
	return query_run(&q);
}

static err apply_one(struct writer *w, const struct release *x, const struct held *h)
{
	if (!h->there)
		return OK;
	if (h->state == QUEUE_FAIL)
		return fail(writer_db(w), h);
	return h->mailbox != NULL ? deliver(writer_db(w), x, h) : hold(writer_db(w), h);
}

static err release_apply(struct writer *w, struct job *job)
{
	const struct release *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->n && e == OK; i++)
		e = apply_one(w, x, &x->rows[i]);
	return e;
}

/* --- the coroutine --- */

static void log_released(const struct release *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->rows[i].there)
			LOG(INFO, "store.release", LOG_ID("mid", x->rows[i].message), LOG_STR("to", x->rows[i].address),
			    LOG_Z("result", x->rows[i].state == QUEUE_FAIL ? "failing"
			                    : x->rows[i].mailbox == NULL   ? "held"
			                                                   : "mailbox"));
}

static void tell(struct store *s, const struct held *h)
{
	fate_changed(s, h->message);
	if (h->there && h->state == QUEUE_FAIL)
		queue_added(s, STR(QUEUE_FAILED_HERE), 0, QUEUE_DUE_FAIL);
}

static err release_due(struct store *s)
{
	static const struct job_kind kind = {.prepare = release_prepare, .apply = release_apply};
	struct release x = {.store = s, .now = (uint64_t)rt_wall(), .arena = ARENA_INIT(8 << 20)};
	struct job job = {.kind = &kind, .data = &x};
	err e = read_rows(&x);

	if (e == OK)
		e = x.n == 0 ? err_note(E_NOT_FOUND, "a row of the queue has no message, or no debit")
		             : writer_do(s->writer, &job);
	if (e == OK)
		log_released(&x);
	for (size_t i = 0; e == OK && i < x.n; i++)
		tell(s, &x.rows[i]);
	arena_free(&x.arena);
	return e;
}

/* When to look again. */
static nsec look_at(struct store *s)
{
	uint64_t due = 0, now = (uint64_t)rt_wall();
	bool any = false;

	if (next_due(s, &due, &any) == OK && any && due > now && due - now < (uint64_t)PAUSE / 1000)
		return rt_after((nsec)(due - now) * 1000);
	return any && due <= now ? rt_now() : rt_after(PAUSE);
}

static void release_run(void *arg)
{
	struct store *s = arg;
	err e = OK;

	while (s->closer == NULL && e != E_CANCELLED) {
		nsec at = look_at(s);

		if (at > rt_now()) {
			e = rt_park(at);
			continue;
		}
		e = release_due(s);
		if (e == OK)
			continue;
		LOG(WARN, "store.release", LOG_Z("error", err_info()->text));
		e = rt_park(rt_after(PAUSE));
	}
	s->releaser = NULL;
	store_leave(s);
}

err release_start(struct store *s)
{
	err e = store_enter(s);

	if (e != OK)
		return e;
	s->releaser = rt_spawn(release_run, s, "store-release");
	if (s->releaser != NULL)
		return OK;
	store_leave(s);
	return err_note(E_MEMORY, "no memory to release mail");
}

void release_stop(struct store *s)
{
	if (s->releaser != NULL)
		rt_cancel(s->releaser);
}

void release_wake(struct store *s)
{
	if (s->releaser != NULL)
		rt_wake(s->releaser);
}
