/* SPDX-License-Identifier: ISC */
/* The call `settle`: what became of the recipients of a lease is written down, in one transaction with the report that tells of it. */
#include "store/settle.h"

#include "base/date.h"
#include "base/log.h"
#include "conf/relay.h"
#include "mail/header.h"

enum { REPLY_MAX = 1000, STATUS_MAX = 20, HOST_MAX = 300, SECURITY_MAX = 300 };
#define DAY            (86400 * (uint64_t)USEC_PER_SEC)
#define DUE_DAYS_MAX   400
#define BLOCK_DAYS_MAX 1

/* --- on the loop: what a sibling says is checked and cut like anything else --- */

/* One line. */
static str clean(struct arena *a, str s, size_t most)
{
	str copy = arena_str(a, str_take(s, most));
	char *p = (char *)(uintptr_t)copy.p;

	for (size_t i = 0; i < copy.n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			p[i] = ' ';
	return copy;
}

static uint64_t clamp(uint64_t v, uint64_t least, uint64_t most)
{
	return v < least ? least : v > most ? most : v;
}

static struct verdict verdict_of(const struct settling *x, const struct outcome *o)
{
	struct arena *a = x->arena;

	return (struct verdict){
		.rcpt = o->rcpt,
		.result = (enum outcome_result)o->result,
		.due = o->result == OUTCOME_LATER ? clamp(o->due, x->now, x->now + DUE_DAYS_MAX * DAY) : x->now,
		.warned = o->warned != 0,
		.destination = clean(a, o->destination, DESTINATION_MAX),
		.status = clean(a, o->status, STATUS_MAX),
		.reply = clean(a, o->reply, REPLY_MAX),
		.host = clean(a, o->host, HOST_MAX),
		.security = clean(a, o->security, SECURITY_MAX),
	};
}

static err check_outcome(const struct settling *x, const struct outcome *o)
{
	bool known = o->result <= OUTCOME_MOVED && (o->result != OUTCOME_MOVED || o->destination.n > 0);

	if (!known || o->destination.n > DESTINATION_MAX)
		return err_note(E_PERM, "the settlement is malformed");
	if (x->lease != NULL && !lease_has(x->lease, o->rcpt))
		return err_note(E_DENIED, "a recipient is not in that lease");
	return OK;
}

static err read_verdicts(struct settling *x)
{
	const struct settle_request *q = x->request;
	err e = OK;

	x->verdicts = arena_array(x->arena, q->outcomes_n, sizeof(*x->verdicts));
	if (x->verdicts == NULL)
		return err_note(E_MEMORY, "no memory for a settlement");
	for (size_t i = 0; i < q->outcomes_n && e == OK; i++) {
		e = check_outcome(x, &q->outcomes[i]);
		x->verdicts[x->n++] = verdict_of(x, &q->outcomes[i]);
	}
	return e == OK && x->arena->full ? err_note(E_MEMORY, "no memory for a settlement") : e;
}

/* A lease that is not known was given by a store that is no more, or was given back: what was done was done all the same, and a row that is gone
 * is passed over. */
static err find_lease(struct settling *x, const char *from)
{
	const struct settle_request *q = x->request;
	struct lease *lease = leases_find(&x->store->queue->leases, q->lease);

	if (lease == NULL && q->message == 0)
		return err_note(E_DENIED, "there is no such lease");
	if (lease != NULL && !str_equal(str_from(lease->from), str_from(from)))
		return err_note(E_DENIED, "the lease is another's");
	if (lease != NULL && q->message != 0 && q->message != lease->message)
		return err_note(E_DENIED, "the lease is of another message");
	if (lease != NULL && lease->settling) /* whoever said it did not wait for the answer: it may fail still */
		return err_note(E_BUSY, "the lease is being settled");
	x->lease = lease;
	x->message = lease != NULL ? lease->message : q->message;
	return OK;
}

/* --- the report --- */

static str report_field(const struct settling *x, const char *name)
{
	struct header_field f;

	if (header_find(x->request->report_headers, str_from(name), &f) ||
	    header_find(x->request->report_body.bytes, str_from(name), &f))
		return header_unfold(x->arena, f.value);
	return STR("");
}

static uint64_t report_flags(const struct settle_request *q, str sender)
{
	uint64_t flags = str_is_ascii(q->report_body.bytes) ? 0 : MESSAGE_8BIT;

	return str_is_ascii(q->report_headers) && str_is_ascii(sender) ? flags : flags | MESSAGE_8BIT | MESSAGE_UTF8;
}

static err find_sender(const struct settling *x, str *sender)
{
	struct query q = db_query(x->store->db, "SELECT sender FROM message WHERE id = ?");

	*sender = STR("");
	query_put_num(&q, x->message);
	if (query_row(&q))
		*sender = arena_str(x->arena, query_str(&q));
	return query_end(&q);
}

/* RFC 5321 4.5.5: from nobody, so that nobody answers it. */
static err report_begin(struct settling *x)
{
	const struct settle_request *q = x->request;
	struct report_acceptance *r = &x->report;
	str sender;
	err e = find_sender(x, &sender);

	r->wanted = true;
	r->rcpt = (struct rcpt){.address = sender, .notify = DSN_NEVER};
	r->origin = (struct origin){.protocol = STR("report")};
	r->request = (struct accept_request){.id = q->report,
	                                     .origin = &r->origin,
	                                     .origin_n = 1,
	                                     .flags = report_flags(q, sender),
	                                     .rcpts = &r->rcpt,
	                                     .rcpts_n = 1,
	                                     .message_id = report_field(x, "Message-ID"),
	                                     .subject = report_field(x, "Subject"),
	                                     .headers = q->report_headers,
	                                     .body = q->report_body};
	if (e != OK)
		return e;
	if (sender.n == 0)
		return err_set(E_PERM, 0, NULL, "the message has no sender");
	e = acceptance_check(x->store, &r->request);
	if (e == OK)
		e = acceptance_begin(&r->acceptance, &r->request, x->arena);
	if (e == OK)
		e = acceptance_route(x->store, &r->acceptance, true);
	return e;
}

static err report_route(struct settling *x)
{
	struct report_acceptance *r = &x->report;

	if (x->request->report == 0)
		return OK;
	err e = report_begin(x);
	if (e == E_PERM || e == E_LIMIT)
		settle_report_lost(x, str_from(err_info()->text));
	else if (e == OK && r->acceptance.answers[0].code != OK)
		settle_report_lost(x, settle_report_refusal(x));
	return e == E_PERM || e == E_LIMIT ? OK : e;
}

/* --- on the loop again --- */

/* Due of the first that stays with this destination; SCHEDULE_NEVER: none does. */
static uint64_t least_due(const struct settling *x)
{
	/* Recipients that were not spoken of are due as before. */
	uint64_t due = x->n < x->lease->n ? x->lease->due : SCHEDULE_NEVER;

	for (size_t i = 0; i < x->n; i++) {
		const struct verdict *v = &x->verdicts[i];

		if (v->there && v->result == OUTCOME_LATER && v->state != QUEUE_HELD && settle_due(v) < due)
			due = settle_due(v);
	}
	return due;
}

static void lease_settled(struct settling *x)
{
	struct queue *q = x->store->queue;
	struct destination *d = x->lease->lane->destination;
	uint64_t until = x->request->destination_due;
	bool attempt = x->lease->why == LEASE_ATTEMPT, tried = attempt && x->n > 0;

	if (attempt && until != 0)
		schedule_block(d, clamp(until, 0, x->now + BLOCK_DAYS_MAX * DAY));
	else if (tried && schedule_reached(&q->schedule, d))
		queue_wake_for_back(x->store);
	queue_lease_end(x->store, x->lease, least_due(x));
}

/* Where rows are now that are not this lease's destination's any more, or never were known to be anybody's. */
static void add_elsewhere(const struct settling *x)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct verdict *v = &x->verdicts[i];

		if (v->there && v->result == OUTCOME_MOVED)
			queue_added(x->store, v->destination, v->lane, settle_due(v));
		else if (v->there && v->result == OUTCOME_LATER && x->lease == NULL)
			x->store->queue->missed = true;
	}
}

static void log_settled(const struct settling *x)
{
	LOG(DEBUG, "queue.settle", LOG_ID("mid", x->message), LOG_Z("from", x->lease == NULL ? "" : x->lease->from),
	    LOG_NUM("rcpts", x->left), LOG_NUM("gone", x->n - x->left),
	    LOG_ID("report", settle_has_report(x) ? x->request->report : 0));
	if (x->report.wanted && x->report.nowhere.n > 0 && x->left > 0)
		LOG(WARN, "queue.report-lost", LOG_ID("mid", x->message), LOG_STR("to", x->report.rcpt.address),
		    LOG_STR("reason", x->report.nowhere));
}

static void settled(struct settling *x)
{
	log_settled(x);
	add_elsewhere(x);
	if (x->lease != NULL)
		lease_settled(x);
	if (settle_has_report(x))
		acceptance_committed(x->store, &x->report.acceptance);
	fate_changed(x->store, x->message);
	queue_dispatch(x->store);
}

/* The lease stays, for another try; unless there is nobody left to make it. */
static void failed(struct settling *x)
{
	if (x->lease == NULL)
		return;
	x->lease->settling = false;
	if (x->lease->gone)
		queue_give_back(x->store, x->lease, "its process is gone");
	queue_dispatch(x->store);
}

/* What is settled without a lease is nobody's to lease until it is written: the process that had it may be gone, and the next one asks already. NULL:
 * not needed, or no memory for it. */
static struct lease *guard_add(struct settling *x)
{
	struct lease guard = {.message = x->message, .settling = true};

	if (x->lease != NULL)
		return NULL;
	for (size_t i = 0; i < x->n && guard.n < LEASE_RCPTS_MAX; i++)
		guard.rcpts[guard.n++] = x->verdicts[i].rcpt;
	return leases_add(&x->store->queue->leases, &guard);
}

static void guard_remove(struct settling *x, struct lease *guard)
{
	if (guard == NULL)
		return;
	leases_remove(&x->store->queue->leases, guard);
	x->store->queue->missed = true; /* what was passed over meanwhile is to be found again */
}

static err settle_entered(struct settling *x, const char *from)
{
	static const struct job_kind kind = {.prepare = settle_prepare, .apply = settle_apply};
	struct job job = {.kind = &kind, .data = x};
	struct lease *guard = NULL;
	err e = find_lease(x, from);

	if (e == OK)
		e = read_verdicts(x);
	if (e != OK)
		return e;
	if (x->lease != NULL)
		x->lease->settling = true; /* from here on others may run, and must leave it alone */
	e = report_route(x);
	if (e == OK) {
		guard = guard_add(x);
		e = writer_do(x->store->writer, &job);
	}
	struct err_info why = *err_info();
	guard_remove(x, guard);
	if (e == OK)
		settled(x);
	else
		failed(x);
	return e == OK ? OK : err_set(e, why.reply, why.status, "%s", why.text);
}

err store_settle(struct store *s, const char *from, const struct settle_request *q)
{
	ARENA(arena, 16 << 20);
	struct settling x = {.store = s, .request = q, .now = queue_now(), .arena = &arena};
	err e = store_enter(s);

	if (e != OK)
		return e;
	e = settle_entered(&x, from);
	store_leave(s);
	return e;
}
