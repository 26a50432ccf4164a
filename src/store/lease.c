/* SPDX-License-Identifier: ISC */
/* The call `lease`: a deliverer waits until it is its turn, and gets a message with recipients. */
#include "base/date.h"
#include "base/log.h"
#include "store/ids.h"
#include "store/queue_clock.h"

enum { LOOKS = 3, REST_FAULT = 10, REST_MEMORY = 1 }; /* seconds */
#define WAIT_MAX (3600 * NSEC_PER_SEC)

/* A lease that is being made. */
struct leasing {
	struct store *store;
	const struct waiter *turn; /* what was given */
	struct lease_reply *reply;
	struct arena *arena;
	uint64_t now;
	struct lease lease;
	struct lease_rcpt *rcpts; /* of the lease */
	size_t size;
	bool unknown;  /* a recipient is not in the ledger */
	uint64_t left; /* due of rows of the message that are not in this lease */
	struct location at;
	uint64_t body; /* octets */
	err result;    /* of reading it */
	struct err_info why;
};

/* --- which recipients --- */

struct due_row {
	uint64_t rcpt, due, expires, state;
	str sender;
};

static enum lease_why why_of(const struct leasing *x, const struct due_row *r)
{
	if (r->state == QUEUE_FAIL)
		return LEASE_FAIL;
	return r->expires <= queue_clock_now(x->store) ? LEASE_EXPIRED : LEASE_ATTEMPT;
}

/* Most messages have one recipient. */
static struct lease_rcpt *next_rcpt(struct leasing *x)
{
	size_t n = x->lease.n, size = n * 4 < LEASE_RCPTS_MAX ? n * 4 + 1 : LEASE_RCPTS_MAX;

	if (n == x->size) {
		struct lease_rcpt *more = arena_array(x->arena, size, sizeof(*more));

		if (more == NULL)
			return NULL;
		if (n > 0)
			memcpy(more, x->rcpts, n * sizeof(*more));
		x->rcpts = more;
		x->size = size;
	}
	return &x->rcpts[n];
}

/* The rest of the row, which the query stands behind. */
static void take_row(struct leasing *x, const struct due_row *r, struct query *q)
{
	struct lease *lease = &x->lease;
	struct lease_reply *reply = x->reply;
	struct lease_rcpt *to = next_rcpt(x);

	if (to == NULL)
		return; /* the arena says so */
	*to = (struct lease_rcpt){.rcpt = r->rcpt};
	to->attempts = query_num(q);
	to->warned = query_num(q);
	str heard = query_str(q);
	if (lease->n == 0) {
		lease->why = why_of(x, r);
		reply->sender = arena_str(x->arena, r->sender);
		reply->reason = arena_str(x->arena, heard);
		reply->expires = r->expires;
	}
	to->address = arena_str(x->arena, query_str(q));
	x->unknown |= to->address.n == 0;
	to->original = arena_str(x->arena, query_str(q));
	to->orcpt = arena_str(x->arena, query_str(q));
	to->notify = query_num(q);
	lease->rcpts[lease->n++] = r->rcpt;
	lease->due = r->due < lease->due ? r->due : lease->due;
	reply->expires = r->expires < reply->expires ? r->expires : reply->expires;
}

/* What goes along with the first one: the same to be done, from the same sender. */
static bool fits(const struct leasing *x, const struct due_row *r)
{
	return x->lease.n == 0 ||
	       (x->lease.n < LEASE_RCPTS_MAX && x->lease.why == why_of(x, r) && str_equal(x->reply->sender, r->sender));
}

static err read_rows(struct leasing *x)
{
	struct query q = db_query(
		x->store->db,
		"SELECT q.rcpt, q.due, q.expires, q.state, q.sender, q.attempts, q.warned, q.reply, l.address,"
		" l.original, l.orcpt, l.notify FROM queue q LEFT JOIN ledger l ON l.message = q.message"
		" AND l.rcpt = q.rcpt AND l.side = 0 WHERE q.message = ? AND q.destination = ? ORDER BY q.rcpt");
	const struct destination *d = x->turn->given;
	uint64_t limit = d->blocked > x->now ? QUEUE_DUE_EXPIRED : x->now;

	query_put_num(&q, x->turn->message);
	query_put_str(&q, d->name);
	while (query_row(&q)) {
		struct due_row r = {.rcpt = query_num(&q)};

		r.due = query_num(&q);
		r.expires = query_num(&q);
		r.state = query_num(&q);
		r.sender = query_str(&q);
		if (r.due > limit || leases_have(&x->store->queue->leases, x->turn->message, r.rcpt))
			continue;
		if (fits(x, &r))
			take_row(x, &r, &q);
		else
			x->left = r.due < x->left ? r.due : x->left;
	}
	err e = query_end(&q);
	return e == OK && x->arena->full ? err_note(E_MEMORY, "no memory for a lease") : e;
}

/* --- the message --- */

static err read_message(struct leasing *x)
{
	struct query q = db_query(x->store->db, "SELECT segment, offset, length, body, received, envid, ret, flags,"
	                                        " deliver_by, by_mode, priority, login, message_id FROM message WHERE"
	                                        " id = ?");
	struct lease_reply *r = x->reply;

	query_put_num(&q, x->turn->message);
	bool found = query_row(&q);
	if (found) {
		x->at.segment = query_num(&q);
		x->at.offset = query_num(&q);
		x->at.length = query_num(&q);
		x->body = query_num(&q);
		r->received = query_num(&q);
		r->envid = arena_str(x->arena, query_str(&q));
		r->ret = query_num(&q);
		r->flags = query_num(&q);
		r->deliver_by = query_num(&q);
		r->by_mode = query_num(&q);
		r->priority = query_num(&q);
		r->login = arena_str(x->arena, query_str(&q));
		r->message_id = arena_str(x->arena, query_str(&q));
	}
	err e = query_end(&q);
	if (e != OK)
		return err_note(E_TEMP, "%s", err_info()->text); /* no fault of the message */
	if (!found || x->at.segment == 0)
		return err_note(E_END, "the message is gone");
	return x->unknown ? err_note(E_SYNTAX, "a recipient is not in the ledger") : e;
}

static err check_record(const struct leasing *x, str bytes, str *body)
{
	struct segment_record record;
	struct cursor c = cursor_of(bytes);
	err e = segment_record_parse(bytes, cursor_le64(&c), &record);

	if (e == OK && (!segment_is_message(&record) || record.length != x->at.length || record.body.n != x->body))
		e = err_note(E_SYNTAX, "the record is another one");
	*body = record.body;
	return e;
}

typedef err (*read_octets)(struct readers *r, uint64_t segment, uint64_t at, char *p, size_t n);

static err read_record(struct leasing *x, read_octets read)
{
	bool small = x->at.length <= BODY_INLINE_MAX; /* with its envelope: read to where it stays */
	BUF(memory, SEGMENT_RECORD_MAX);
	char *to = small ? arena_octets(x->arena, x->at.length) : buf_reserve(&memory, x->at.length);
	str body;

	if (to == NULL)
		return err_note(E_MEMORY, "no memory for a message of %llu octets", (unsigned long long)x->at.length);
	err e = read(x->store->readers, x->at.segment, x->at.offset, to, x->at.length);
	if (e == OK)
		e = check_record(x, str_make(to, x->at.length), &body);
	if (e != OK)
		return e;
	if (body.n > BODY_INLINE_MAX)
		return body_make("message", body, x->arena, &x->reply->body);
	x->reply->body = BODY_OF(small ? body : arena_str(x->arena, body));
	return x->arena->full ? err_note(E_MEMORY, "no memory for a message") : OK;
}

static void read_in_thread(void *arg)
{
	struct leasing *x = arg;

	x->result = read_record(x, readers_read);
	x->why = *err_info();
}

/* What came in just now is in memory still: no thread is asked for it. */
static err read_record_soon(struct leasing *x)
{
	err e = x->body <= BODY_INLINE_MAX ? read_record(x, readers_read_cached) : E_BUSY;

	if (e != E_BUSY) {
		x->why = *err_info();
		return e;
	}
	rt_work(read_in_thread, x);
	return x->result;
}

/* Large bodies in the hands of `send` are memory. E_BUSY: there are as many as there may be. */
static err charge(const struct leasing *x)
{
	struct leases *all = &x->store->queue->leases;
	struct lease *lease = leases_find(all, x->lease.id);
	uint64_t octets = x->body > BODY_INLINE_MAX ? x->body : 0;

	/* Without a lease its process is gone, which body_or_hold finds out. */
	if (lease == NULL || leases_charge(all, lease, octets, x->store->config->limits.body_memory))
		return OK;
	return err_note(E_BUSY, "large messages wait until others are sent");
}

/* When compaction takes the segment away meanwhile, the row says where the message is now. */
static err read_body(struct leasing *x)
{
	err e = E_NOT_FOUND;

	for (int i = 0; i < LOOKS && e == E_NOT_FOUND; i++) {
		e = read_message(x);
		if (e == OK)
			e = charge(x);
		if (e != OK)
			return e;
		e = read_record_soon(x);
	}
	return e == OK ? OK : err_note(e, "%s", x->why.text);
}

/* --- a message that cannot be read --- */

static bool is_damage(err e)
{
	return e == E_SYNTAX || e == E_END || e == E_NOT_FOUND || e == E_IO;
}

static err hold_apply(struct writer *w, struct job *job)
{
	const struct leasing *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->lease.n && e == OK; i++) {
		struct query q = db_query(writer_db(w), "UPDATE queue SET state = 1, due = due + ?, reply = ?"
		                                        " WHERE message = ? AND rcpt = ? AND state <> 1");

		query_put_num(&q, QUEUE_DUE_HELD);
		query_put_str(&q, str_from(x->why.text));
		query_put_num(&q, x->lease.message);
		query_put_num(&q, x->lease.rcpts[i]);
		e = query_run(&q);
	}
	return e;
}

/* For the administrator: it is neither sent nor given up. */
static err hold(struct leasing *x)
{
	static const struct job_kind kind = {.apply = hold_apply};
	struct job job = {.kind = &kind, .data = x};

	x->why = *err_info();
	LOG(ERROR, "queue.unreadable", LOG_ID("mid", x->lease.message), LOG_NUM("segment", x->at.segment),
	    LOG_NUM("offset", x->at.offset), LOG_Z("error", x->why.text));
	return writer_do(x->store->writer, &job);
}

/* --- the lease --- */

static err register_lease(struct leasing *x, const char *from)
{
	struct lease *lease = &x->lease;
	err e = ids_take(x->store, &x->reply->report);

	if (e != OK)
		return e;
	lease->message = x->turn->message;
	lease->lane = x->turn->lane;
	lease->since = rt_now();
	str name = str_take(str_from(from), LEASE_FROM_MAX - 1);
	memcpy(lease->from, name.p, name.n);
	struct lease *made = leases_add(&x->store->queue->leases, lease);
	if (made == NULL)
		return err_note(E_MEMORY, "no memory for a lease");
	lease->id = made->id;
	return OK;
}

static void fill_reply(struct leasing *x)
{
	struct lease_reply *r = x->reply;

	r->lease = x->lease.id;
	r->why = x->lease.why;
	r->destination = arena_str(x->arena, x->turn->given->name);
	r->message = x->lease.message;
	r->rcpts = x->rcpts;
	r->rcpts_n = x->lease.n;
}

/* Nothing else of this destination for a while: what is wrong may pass. */
static void rest(struct leasing *x, uint64_t seconds)
{
	x->turn->given->rest = queue_now() + seconds * USEC_PER_SEC;
}

static void fault(struct leasing *x)
{
	LOG(ERROR, "queue.fault", LOG_STR("destination", x->turn->given->name), LOG_Z("error", err_info()->text));
	rest(x, REST_FAULT);
}

/* The lease did not come about. E_NOT_FOUND: there may be another one. */
static err undo(struct leasing *x, struct lease *lease, err e, bool held)
{
	body_release(&x->reply->body);
	if (e == E_BUSY) {
		LOG(DEBUG, "queue.full", LOG_ID("mid", x->lease.message), LOG_NUM("size", x->body));
		rest(x, REST_MEMORY);
	} else if (!held && e != E_CANCELLED) {
		fault(x);
	}
	queue_lease_end(x->store, lease, held ? SCHEDULE_NEVER : lease->due);
	return held || e == E_BUSY ? E_NOT_FOUND : e;
}

static err body_or_hold(struct leasing *x)
{
	struct lease *lease;
	err e = read_body(x);
	bool held = is_damage(e) && hold(x) == OK;

	/* It may have been given back meanwhile: its process is gone. */
	lease = leases_find(&x->store->queue->leases, x->lease.id);
	if (lease == NULL)
		return err_set(E_TEMP, 451, "4.3.0", "the lease is over");
	if (e == OK)
		fill_reply(x);
	if (e == OK && x->arena->full)
		e = err_note(E_MEMORY, "no memory for a lease");
	if (e == OK && rt_cancelled())
		e = err_note(E_CANCELLED, "nobody waits for it any more");
	return e == OK ? OK : undo(x, lease, e, held);
}

/* What the turn is good for. E_NOT_FOUND: nothing of the message is left, or it was held. */
static err make_lease(struct leasing *x, const char *from)
{
	struct schedule *schedule = &x->store->queue->schedule;
	err e = read_rows(x);

	if (e == OK)
		e = x->lease.n == 0 ? E_NOT_FOUND : register_lease(x, from);
	if (e != OK && e != E_NOT_FOUND)
		fault(x);
	schedule_lease_leaves(schedule, x->turn->lane, x->left, x->now);
	if (e != OK) {
		/* Rows may be left that became due only just now, or are blocked since. */
		schedule_lease_end(schedule, x->turn->lane, x->turn->due, x->now);
		return e;
	}
	return body_or_hold(x);
}

/* --- waiting --- */

/* w->given: its turn came. Without it: OK, the time is over or it was turned away; E_TEMP, E_CANCELLED. */
static err wait_turn(struct store *s, struct waiter *w, str destination, nsec deadline)
{
	struct schedule *schedule = &s->queue->schedule;
	err e;

	*w = (struct waiter){.co = rt_self()};
	e = schedule_wait(schedule, w, destination);
	if (e != OK)
		return e;
	queue_dispatch(s);
	while (e == OK && !w->over)
		e = rt_park(deadline);
	schedule_leave(schedule, w, queue_now());
	if (w->given != NULL && rt_cancelled())
		schedule_lease_end(schedule, w->lane, w->due, queue_now());
	if (rt_cancelled())
		return E_CANCELLED;
	if (s->closer != NULL && w->given == NULL)
		return err_set(E_TEMP, 451, "4.3.0", "The mail store is closing; try again later");
	return OK;
}

static err lease_entered(struct store *s, const char *from, const struct lease_request *q, struct lease_reply *r,
                         struct arena *a)
{
	uint64_t ms = q->wait_ms < WAIT_MAX / NSEC_PER_MSEC ? q->wait_ms : WAIT_MAX / NSEC_PER_MSEC;
	nsec deadline = rt_after((nsec)ms * NSEC_PER_MSEC);
	struct leasing *x = arena_alloc(a, sizeof(*x));
	err e = x == NULL ? err_note(E_MEMORY, "no memory for a lease") : E_NOT_FOUND;
	struct waiter w;

	while (e == E_NOT_FOUND) {
		e = wait_turn(s, &w, q->destination, deadline);
		if (e != OK || w.given == NULL)
			return e;
		record_init(&record_lease_reply, r);
		*x = (struct leasing){
			.store = s, .turn = &w, .reply = r, .arena = a, .now = queue_now(), .left = SCHEDULE_NEVER};
		x->lease.due = SCHEDULE_NEVER;
		e = make_lease(x, from);
		queue_dispatch(s);
	}
	return e;
}

err store_lease(struct store *s, const char *from, const struct lease_request *q, struct lease_reply *r,
                struct arena *a)
{
	err e = store_enter(s);

	if (e != OK)
		return e;
	e = lease_entered(s, from, q, r, a);
	store_leave(s);
	return e;
}
