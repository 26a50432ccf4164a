/* SPDX-License-Identifier: ISC */
#include "relay/deliverer.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/encode.h"
#include "base/log.h"
#include "relay/delivery.h"
#include "relay/notice.h"
#include "relay/settlement.h"
#include "relay/signature.h"

#define WAIT_ANY           (60 * NSEC_PER_SEC) /* for a lease */
#define WAIT_SAME          (2 * NSEC_PER_SEC)  /* for one more of the same destination, with the connection open */
#define CALL_TIME          (60 * NSEC_PER_SEC)
#define PAUSE_FIRST        (10 * NSEC_PER_MSEC) /* while the store is away: it may come any moment */
#define PAUSE              (1 * NSEC_PER_SEC)
#define CONNECTION_AGE_MAX (300 * NSEC_PER_SEC)

enum {
	SPARE = 2, /* deliverers that stay when there is nothing to do */
	LEASE_MEMORY = 4 << 20,
	REPORT_MAX = 700 << 10 /* fits into a call */
};

struct deliverer {
	struct relay *relay;
	struct deliverer *next, **prev; /* relay->first */
	struct co *co;
	bool idle;                      /* waits for a lease: nothing is lost when it ends */
	bool waits;                     /* for another one to let go of what it has in hand */
	const struct lease_reply *hand; /* what it is at, until that is settled; NULL: nothing */
	struct relay_connection *connection;
	nsec pause; /* the next one while the store is away */
};

/* --- leasing --- */

static err lease(struct deliverer *d, str destination, struct lease_reply *out, struct arena *a)
{
	struct relay *r = d->relay;
	nsec wait = destination.n == 0 ? WAIT_ANY : WAIT_SAME;
	bool any = destination.n == 0;

	if (r->draining)
		return E_CANCELLED;
	d->idle = true;
	r->idle += any;
	err e = call_lease(r->store, &(struct lease_request){destination, (uint64_t)(wait / NSEC_PER_MSEC)}, out, a,
	                   rt_after(wait + CALL_TIME));
	r->idle -= any;
	d->idle = false;
	if (e == OK && out->lease == 0)
		return E_END;
	return e;
}

/* Nobody waits for the next lease any more. */
static void grow(struct relay *r)
{
	if (r->idle == 0 && r->deliverers < r->config->queue.connections && !r->draining)
		(void)!deliverer_start(r); /* without memory those that there are go on */
}

/* --- what is in hand --- */

static bool overlap(const struct lease_reply *one, const struct lease_reply *other)
{
	if (one->message != other->message)
		return false;
	for (size_t i = 0; i < one->rcpts_n; i++)
		for (size_t k = 0; k < other->rcpts_n; k++)
			if (one->rcpts[i].rcpt == other->rcpts[k].rcpt)
				return true;
	return false;
}

static bool is_in_hand(const struct relay *r, const struct lease_reply *l)
{
	for (const struct deliverer *d = r->first; d != NULL; d = d->next)
		if (d->hand != NULL && overlap(d->hand, l))
			return true;
	return false;
}

static void let_go(struct deliverer *d)
{
	d->hand = NULL;
	for (struct deliverer *other = d->relay->first; other != NULL; other = other->next)
		if (other->waits)
			rt_wake(other->co);
}

/* Somebody here is at it already: the store was started anew, or gave up waiting for what became of it. What it is settled as counts, so this lease goes back,
 * and not before: else it would come again at once. */
static err leave_to_others(struct deliverer *d, struct lease_reply *l)
{
	err e = OK;

	LOG(INFO, "relay.in-hand", LOG_ID("mid", l->message), LOG_STR("destination", l->destination));
	body_release(&l->body);
	connection_quit(d->connection);
	d->connection = NULL;
	d->idle = d->waits = true;
	while (e == OK && is_in_hand(d->relay, l))
		e = rt_park(RT_NEVER);
	d->idle = d->waits = false;
	return e == OK ? settlement_give_back(d->relay, l) : e;
}

/* --- settling --- */

/* The report that is due, if one is; without the message when it would be too large with it. */
static void report(const struct relay *r, const struct delivery *v, struct settle_request *q, struct buf *text)
{
	struct notice n = {.config = v->config,
	                   .lease = v->lease,
	                   .outcomes = v->outcomes,
	                   .handed_on = v->handed_on,
	                   .delivered = v->way.hop != NULL && v->way.hop->kind == HOP_LMTP,
	                   .now = rt_wall(),
	                   .arena = v->arena};
	bool due = notice_print(&n, v->lease->body.bytes, text);

	if (due && text->full) {
		buf_reset(text);
		due = notice_print(&n, STR_NONE, text);
	}
	if (!due || text->full)
		return;
	signature_put(r, text);
	q->report = v->lease->report;
	q->report_body = BODY_OF(buf_str(text));
}

/* --- what happened, for the log --- */

static void log_outcome(const struct delivery *v, size_t i)
{
	const struct lease_rcpt *r = &v->lease->rcpts[i];
	const struct outcome *o = &v->outcomes[i];
	str relay = o->host.n > 0 ? o->host : STR("none");
	int64_t delay = (rt_wall() - (int64_t)v->lease->received) / USEC_PER_SEC;

	if (o->result == OUTCOME_RELAYED)
		LOG(INFO, "relay.sent", LOG_ID("mid", v->lease->message), LOG_STR("sid", v->session),
		    LOG_STR("to", r->address), LOG_STR("orig_to", r->original), LOG_STR("relay", relay),
		    LOG_NUM("delay", delay), LOG_STR("dsn", o->status), LOG_Z("status", "sent"),
		    LOG_STR("security", o->security), LOG_STR("reply", o->reply));
	else if (o->result == OUTCOME_FAILED)
		LOG(INFO, "relay.failed", LOG_ID("mid", v->lease->message), LOG_STR("sid", v->session),
		    LOG_STR("to", r->address), LOG_STR("orig_to", r->original), LOG_STR("relay", relay),
		    LOG_NUM("delay", delay), LOG_STR("dsn", o->status),
		    LOG_Z("status", v->lease->why == LEASE_EXPIRED ? "expired" : "bounced"),
		    LOG_STR("reply", o->reply));
	else if (o->result == OUTCOME_LATER)
		LOG(INFO, "relay.deferred", LOG_ID("mid", v->lease->message), LOG_STR("sid", v->session),
		    LOG_STR("to", r->address), LOG_STR("orig_to", r->original), LOG_STR("relay", relay),
		    LOG_NUM("delay", delay), LOG_STR("dsn", o->status), LOG_Z("status", "deferred"),
		    LOG_NUM("attempts", r->attempts + 1), LOG_STR("reply", o->reply));
	else
		LOG(INFO, "relay.moved", LOG_ID("mid", v->lease->message), LOG_STR("to", r->address),
		    LOG_STR("from", v->lease->destination), LOG_STR("destination", o->destination));
}

/* --- one message --- */

static err conclude(struct deliverer *d, const struct delivery *v)
{
	struct settle_request q = {.lease = v->lease->lease,
	                           .message = v->lease->message,
	                           .outcomes = v->outcomes,
	                           .outcomes_n = v->put_off ? 0 : v->lease->rcpts_n,
	                           .destination_due = (uint64_t)v->destination_due,
	                           .report_body = BODY_OF(STR_NONE)};
	BUF(text, REPORT_MAX);

	for (size_t i = 0; i < q.outcomes_n; i++)
		log_outcome(v, i);
	if (!v->put_off)
		report(d->relay, v, &q, &text);
	return settlement_tell(d->relay, &q);
}

/* We are being stopped in the midst of it: what servers have said is told all the same. */
static err break_off(struct deliverer *d, struct delivery *v)
{
	struct lease_reply kept;

	if (delivery_keep_decided(v, &kept) > 0)
		(void)!conclude(d, v);
	return E_CANCELLED;
}

/* Without memory to begin with. */
static err put_back(struct deliverer *d, const struct lease_reply *l)
{
	err e = rt_sleep_until(rt_after(PAUSE));

	return e == OK ? settlement_give_back(d->relay, l) : e;
}

static err deliver(struct deliverer *d, const struct lease_reply *l)
{
	char id[ID_TEXT_MAX];
	ARENA(a, 4 * l->body.bytes.n + LEASE_MEMORY); /* a conversion needs three times a message */
	struct delivery v = {
		.relay = d->relay, .lease = l, .session = id_text(d->relay->next_session++, id), .arena = &a};

	v.config = config_hold(d->relay->config);
	d->hand = l;
	err e = delivery_run(&v, &d->connection);
	if (e == OK)
		e = conclude(d, &v);
	else
		e = e == E_CANCELLED ? break_off(d, &v) : put_back(d, l);
	let_go(d);
	config_release(v.config);
	return e;
}

/* E_END: there was none. */
static err one_message(struct deliverer *d, str destination)
{
	ARENA(a, LEASE_MEMORY);
	struct lease_reply l;
	err e = lease(d, destination, &l, &a);

	if (e != OK)
		return e;
	if (destination.n == 0)
		grow(d->relay);
	e = is_in_hand(d->relay, &l) ? leave_to_others(d, &l) : deliver(d, &l);
	body_release(&l.body);
	return e;
}

static bool is_worth_keeping(const struct deliverer *d)
{
	const struct relay_connection *c = d->connection;

	return c != NULL && c->messages < d->relay->config->queue.per_connection &&
	       rt_now() - c->opened < CONNECTION_AGE_MAX;
}

/* A message, and those that can follow it over the same connection. */
static err one_round(struct deliverer *d)
{
	err e = one_message(d, STR_NONE);
	bool worked = e == OK;

	while (e == OK && is_worth_keeping(d))
		e = one_message(d, d->connection->destination);
	connection_quit(d->connection);
	d->connection = NULL;
	return worked && e == E_END ? OK : e;
}

/* --- its life --- */

void deliverer_ended(struct relay *r)
{
	r->deliverers--;
	if (r->awaited_by != NULL)
		rt_wake(r->awaited_by);
}

static void deliverer_end(struct deliverer *d)
{
	struct relay *r = d->relay;

	*d->prev = d->next;
	if (d->next != NULL)
		d->next->prev = d->prev;
	free(d);
	deliverer_ended(r);
}

static err pause_after(struct deliverer *d, err e)
{
	nsec pause = d->pause;

	d->pause = PAUSE_FIRST;
	if (e == OK || e == E_END || e == E_CANCELLED)
		return e == E_CANCELLED ? e : OK;
	LOG(DEBUG, "relay.waits", LOG_Z("error", err_info()->text));
	d->pause = pause * 2 < PAUSE ? pause * 2 : PAUSE;
	return rt_sleep_until(rt_after(pause));
}

static void deliverer_run(void *arg)
{
	struct deliverer *d = arg;
	struct relay *r = d->relay;
	bool spare = false;
	err e = OK;

	while (e == OK && !r->draining && !spare) {
		e = one_round(d);
		spare = (e == E_END && r->idle >= SPARE) || r->deliverers > r->config->queue.connections;
		d->idle = true;
		e = pause_after(d, e);
		d->idle = false;
	}
	deliverer_end(d);
}

err deliverer_start(struct relay *r)
{
	struct deliverer *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_note(E_MEMORY, "no memory for a deliverer");
	*d = (struct deliverer){.relay = r, .next = r->first, .prev = &r->first, .pause = PAUSE_FIRST};
	d->co = rt_spawn(deliverer_run, d, "deliverer");
	if (d->co == NULL) {
		free(d);
		return err_note(E_MEMORY, "no memory for a deliverer");
	}
	if (d->next != NULL)
		d->next->prev = &d->next;
	r->first = d;
	r->deliverers++;
	return OK;
}

void deliverers_cancel(struct relay *r, bool idle_only)
{
	for (struct deliverer *d = r->first; d != NULL; d = d->next)
		if (!idle_only || d->idle)
			rt_cancel(d->co);
}

err deliverers_wait(struct relay *r, nsec deadline)
{
	err e = OK;

	r->awaited_by = rt_self();
	while (e == OK && r->deliverers > 0)
		e = rt_park(deadline);
	if (r->awaited_by == rt_self()) /* somebody else may wait by now, for longer */
		r->awaited_by = NULL;
	return e;
}
