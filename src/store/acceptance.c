/* SPDX-License-Identifier: ISC */
#include "store/acceptance.h"

#include "base/log.h"
#include "base/map.h"
#include "store/contact.h"
#include "store/delivery.h"
#include "store/ledger.h"
#include "store/queue.h"

enum { DELIVERIES_MAX = 5000, TEXT_MAX = 2000, DROP_MAX = 1000 };
#define TIME_MAX_USEC (1ull << 60)

static err no_memory(void)
{
	return err_set(E_TEMP, 451, "4.3.0", "There is not enough memory for this message; try again later");
}

static void answer(struct rcpt_answer *a, err e, struct arena *arena)
{
	const struct err_info *i = err_info();

	*a = (struct rcpt_answer){.code = e};
	if (e == OK)
		return;
	a->reply = (uint64_t)i->reply;
	a->status = arena_str(arena, str_from(i->status));
	a->text = arena_str(arena, str_from(i->text));
}

/* --- on the loop --- */

static bool is_text(str s)
{
	return s.n <= TEXT_MAX && !str_has_control(s);
}

/* Ranges in order, apart, inside of the body. */
static bool drop_is_sound(const struct accept_request *q)
{
	uint64_t at = 0;

	for (size_t i = 0; i < q->drop_n; i++) {
		const struct range *r = &q->drop[i];

		if (r->offset < at || r->offset > q->body.bytes.n || r->length > q->body.bytes.n - r->offset)
			return false;
		at = r->offset + r->length;
	}
	return q->drop_n <= DROP_MAX;
}

static bool numbers_are_sound(const struct accept_request *q)
{
	return q->hold_until < TIME_MAX_USEC && q->deliver_by < TIME_MAX_USEC && q->by_mode <= BY_RETURN &&
	       q->priority < 20;
}

/* These texts stand in header fields of messages. */
err acceptance_check(const struct store *s, const struct accept_request *q)
{
	bool good =
		q->origin_n == 1 && q->rcpts_n > 0 && is_text(q->sender) && is_text(q->envid) && is_text(q->message_id);

	for (size_t i = 0; i < q->rcpts_n && good; i++)
		good = is_text(q->rcpts[i].address) && is_text(q->rcpts[i].orcpt);
	if (!good || !drop_is_sound(q) || !numbers_are_sound(q) || q->id == 0 || q->id >= s->next_id)
		return err_set(E_PERM, 554, "5.5.0", "The transaction is malformed");
	uint64_t most = s->config->limits.message_size;
	if (most != 0 && q->body.bytes.n > most)
		return err_set(E_LIMIT, 552, "5.3.4", "The message is larger than %llu octets",
		               (unsigned long long)most);
	return OK;
}

static uint64_t octets_of(const struct accept_request *q)
{
	uint64_t octets = q->headers.n + q->body.bytes.n;

	for (size_t i = 0; i < q->drop_n; i++)
		octets -= q->drop[i].length;
	return octets;
}

static struct envelope envelope_of(const struct accept_request *q)
{
	return (struct envelope){
		.id = q->id,
		.received = (uint64_t)rt_wall(),
		.sender = q->sender,
		.origin = q->origin,
		.origin_n = q->origin_n,
		.envid = q->envid,
		.ret = q->ret,
		.flags = q->flags,
		.message_id = q->message_id,
		.subject = q->subject,
		.hold_until = q->hold_until,
		.deliver_by = q->deliver_by,
		.by_mode = q->by_mode,
		.priority = q->priority,
	};
}

err acceptance_begin(struct acceptance *x, const struct accept_request *q, struct arena *a)
{
	*x = (struct acceptance){.request = q, .arena = a, .octets = octets_of(q), .envelope = envelope_of(q)};
	x->answers = arena_array(a, q->rcpts_n, sizeof(*x->answers));
	return x->answers == NULL ? no_memory() : OK;
}

static err add_deliveries(struct acceptance *x, size_t rcpt, const struct route *r)
{
	if (x->deliveries_n + r->n > DELIVERIES_MAX)
		return err_set(E_LIMIT, 452, "4.5.3", "The message has too many recipients");
	if (x->deliveries_n + r->n > x->deliveries_size) {
		size_t size = x->deliveries_size * 2 + r->n + x->request->rcpts_n;
		struct delivery *p = arena_array(x->arena, size, sizeof(*p));
		if (p == NULL)
			return no_memory();
		if (x->deliveries_n > 0)
			memcpy(p, x->deliveries, x->deliveries_n * sizeof(*p));
		x->deliveries = p;
		x->deliveries_size = size;
	}
	for (size_t i = 0; i < r->n; i++) {
		x->deliveries[x->deliveries_n++] = (struct delivery){.rcpt = rcpt, .target = &r->targets[i]};
	}
	return OK;
}

/* SMTP has one answer for all recipients: when one of them cannot have it, nobody gets it, lest those that did get it twice. */
static void spread_refusal(struct acceptance *x)
{
	const struct rcpt_answer *worst = NULL;

	for (size_t i = 0; i < x->request->rcpts_n; i++)
		if (x->answers[i].code != OK && (worst == NULL || worst->reply / 100 == 4))
			worst = &x->answers[i];
	if (worst == NULL || (x->request->flags & MESSAGE_ALL_OR_NONE) == 0)
		return;
	struct rcpt_answer all = *worst;
	if (all.reply / 100 == 5 && x->request->rcpts_n > 1)
		all = (struct rcpt_answer){.code = E_TEMP,
		                           .reply = 451,
		                           .status = STR("4.3.0"),
		                           .text = STR("A recipient is no longer there; try again later")};
	for (size_t i = 0; i < x->request->rcpts_n; i++)
		x->answers[i] = all;
}

/* On another server, or in a mailbox here later. */
static bool is_queued(const struct acceptance *x, const struct delivery *d)
{
	if (d->disposition == DISPOSITION_DISCARD)
		return false;
	return d->target->mailbox == 0 || d->disposition == DISPOSITION_QUARANTINE ||
	       x->envelope.hold_until > x->envelope.received;
}

err acceptance_route(struct store *s, struct acceptance *x, bool relay)
{
	struct router router = {s->db, s->config, s->secret, x->request->sender, relay};

	for (size_t i = 0; i < x->request->rcpts_n; i++) {
		struct route r;
		err e = route_address(&router, x->request->rcpts[i].address, x->arena, &r);

		if (e == OK)
			e = add_deliveries(x, i, &r);
		answer(&x->answers[i], e, x->arena);
	}
	spread_refusal(x);
	err e = deliveries_decide(s, x->request, x->deliveries, x->deliveries_n, x->arena);
	if (e != OK)
		return e;
	for (size_t i = 0; i < x->deliveries_n; i++) {
		x->queueing_n += is_queued(x, &x->deliveries[i]);
		if (x->deliveries[i].disposition == DISPOSITION_DISCARD)
			x->deliveries[i].rule = delivery_rule(x->request, &x->deliveries[i], x->arena);
	}
	if (x->request->account != 0 && contact_keys(x->request, x->arena, &x->sent_to, &x->sent_to_n) != OK)
		return no_memory();
	x->kept = arena_array(x->arena, x->deliveries_n, sizeof(struct delivery *));
	return x->arena->full ? no_memory() : OK;
}

/* --- in the writer: prepare --- */

static uint64_t quota_of(struct writer *w, const struct account_state *a)
{
	return a->quota != 0 ? a->quota : writer_settings(w)->quota;
}

static err find_mailbox(struct writer *w, struct delivery *d)
{
	err e = counters_mailbox(writer_counters(w), writer_db(w), d->into, &d->mailbox);

	if (e == E_NOT_FOUND && d->into != d->target->mailbox) /* Junk was removed since */
		e = counters_mailbox(writer_counters(w), writer_db(w), d->target->mailbox, &d->mailbox);
	if (e == E_NOT_FOUND)
		return err_set(E_PERM, 550, "5.1.1", "There is no such mailbox here; check the address");
	return e == OK ? OK : err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
}

/* Can this recipient still have it? Accounts may have gone or filled up since RCPT. */
static err check_delivery(struct writer *w, struct acceptance *x, struct delivery *d)
{
	err e = find_mailbox(w, d);

	if (e != OK)
		return e;
	const struct account_state *a = d->mailbox->account;
	return quota_exceeded(quota_of(w, a), a->octets, x->octets) ? quota_refuse() : OK;
}

static void check_deliveries(struct writer *w, struct acceptance *x)
{
	for (size_t i = 0; i < x->deliveries_n; i++) {
		struct delivery *d = &x->deliveries[i];
		bool here = d->target->mailbox != 0 && d->disposition != DISPOSITION_DISCARD &&
		            x->answers[d->rcpt].code == OK;
		err e = here ? check_delivery(w, x, d) : OK;

		if (e != OK)
			answer(&x->answers[d->rcpt], e, x->arena);
	}
	spread_refusal(x);
}

/* An address that is queued gets one copy, by however many ways it is meant. `seen`: NULL when there is but one. */
static err is_first(const struct acceptance *x, struct map *seen, struct delivery *d, bool *first)
{
	*first = seen == NULL || !is_queued(x, d) || map_get(seen, d->target->address) == NULL;
	return *first && seen != NULL && is_queued(x, d) ? map_put(seen, d->target->address, d) : OK;
}

/* A recipient that stands for several gets all of it or nothing. */
static err keep_each(struct acceptance *x, struct map *seen)
{
	err e = OK;

	for (size_t i = 0; i < x->deliveries_n && e == OK; i++) {
		struct delivery *d = &x->deliveries[i];
		bool first = false;

		if (x->answers[d->rcpt].code == OK)
			e = is_first(x, seen, d, &first);
		if (first)
			x->kept[x->kept_n++] = d;
	}
	return e == OK ? OK : no_memory();
}

static err keep_deliveries(struct acceptance *x)
{
	struct map seen;

	if (x->queueing_n < 2)
		return keep_each(x, NULL);
	map_init(&seen);
	err e = keep_each(x, &seen);
	map_free(&seen);
	return e;
}

static struct envelope_rcpt envelope_rcpt_of(const struct acceptance *x, const struct delivery *d)
{
	const struct rcpt *r = &x->request->rcpts[d->rcpt];
	const struct mailbox_state *m = d->mailbox;
	struct envelope_rcpt out = {
		.address = d->target->address,
		.original = str_equal_nocase(r->address, d->target->address) ? STR_NONE : r->address,
		.orcpt = r->orcpt,
		.notify = r->notify,
		.destination = d->target->destination,
		.sender = d->target->mailbox == 0 ? d->target->sender : x->request->sender,
		.settled = d->disposition == DISPOSITION_DISCARD ? LEDGER_DISCARDED : 0,
		.quarantined = d->disposition == DISPOSITION_QUARANTINE,
		.item_flags = d->trust.flags,
		.trust = d->trust.sentence,
	};

	if (out.settled == 0 && !is_queued(x, d)) {
		out.mailbox = m->id;
		out.name = m->name;
		out.uidvalidity = m->uidvalidity;
		out.uid = m->now.uidnext;
		out.modseq = m->now.modseq + 1;
	}
	return out;
}

/* Number `i` in the envelope is for a mailbox: the first one makes an item. */
static void add_to_item(struct acceptance *x, size_t i)
{
	struct delivery *d = x->kept[i];
	struct item *item = d->mailbox->mark;

	d->next = 0;
	if (item == NULL) {
		item = &x->items[x->items_n++];
		*item = (struct item){.mailbox = d->mailbox, .first = i, .last = i};
		d->mailbox->mark = item;
	} else {
		x->kept[item->last]->next = i;
		item->last = i;
	}
}

static void finish_item(struct acceptance *x, struct item *item)
{
	struct prefix p;
	size_t i = item->first;

	prefix_begin(&p, &x->envelope);
	do {
		prefix_add(&p, &x->envelope.rcpts[i]);
		i = x->kept[i]->next;
	} while (i != 0);
	item->prefix = prefix_end(&p, x->arena);
	item->size = item->prefix.n + x->octets;
	item->mailbox->mark = NULL;
}

static err fill_envelope(struct acceptance *x)
{
	struct envelope *e = &x->envelope;

	e->rcpts = arena_array(x->arena, x->kept_n, sizeof(*e->rcpts));
	x->items = arena_array(x->arena, x->kept_n, sizeof(*x->items));
	if (e->rcpts == NULL || x->items == NULL)
		return no_memory();
	for (size_t i = 0; i < x->kept_n; i++) {
		e->rcpts[e->rcpts_n++] = envelope_rcpt_of(x, x->kept[i]);
		if (is_queued(x, x->kept[i]))
			x->queued_n++;
		else if (e->rcpts[i].mailbox != 0)
			add_to_item(x, i);
	}
	for (size_t i = 0; i < x->items_n; i++)
		finish_item(x, &x->items[i]);
	return x->arena->full ? no_memory() : OK;
}

/* The stored octets, in pieces: the headers, then the body without what is dropped. NULL: no memory. */
static str *pieces_of(const struct accept_request *q, struct arena *a, size_t *n)
{
	str *pieces = arena_array(a, q->drop_n + 2, sizeof(*pieces));
	uint64_t at = 0;

	if (pieces == NULL)
		return NULL;
	pieces[(*n)++] = q->headers;
	for (size_t i = 0; i < q->drop_n; i++) {
		pieces[(*n)++] = str_take(str_drop(q->body.bytes, at), q->drop[i].offset - at);
		at = q->drop[i].offset + q->drop[i].length;
	}
	pieces[(*n)++] = str_drop(q->body.bytes, at);
	return pieces;
}

static err append_record(struct writer *w, struct acceptance *x)
{
	BUF(packed, 16 << 20);
	struct record_fds none = {0};
	size_t n = 0;
	const str *pieces = pieces_of(x->request, x->arena, &n);

	record_pack(&record_envelope, &x->envelope, &packed, &none);
	if (packed.full || pieces == NULL)
		return no_memory();
	return writer_append(w, SEGMENT_MESSAGE, buf_str(&packed), pieces, n, &x->at);
}

err acceptance_prepare(struct writer *w, struct acceptance *x)
{
	x->items_n = x->queued_n = x->kept_n = x->envelope.rcpts_n = 0;
	x->times = queue_times_of(&x->envelope, writer_settings(w)->expire);
	check_deliveries(w, x);
	err e = keep_deliveries(x);
	if (e != OK || x->kept_n == 0)
		return e;
	e = fill_envelope(x);
	if (e == OK)
		e = append_record(w, x);
	for (size_t i = 0; i < x->items_n && e == OK; i++)
		counters_add(writer_counters(w), x->items[i].mailbox, x->items[i].size);
	return e;
}

/* --- on the loop again --- */

static void tell_queue(struct store *s, const struct acceptance *x)
{
	const str *last = NULL;

	for (size_t i = 0; i < x->kept_n && x->queued_n > 0; i++) {
		const struct envelope_rcpt *rcpt = &x->envelope.rcpts[i];

		if (rcpt->mailbox != 0 || rcpt->settled != 0 || rcpt->quarantined != 0 ||
		    (last != NULL && str_equal(rcpt->destination, *last)))
			continue;
		queue_added(s, rcpt->destination, x->times.lane, x->times.due);
		last = &rcpt->destination;
	}
}

void acceptance_committed(struct store *s, const struct acceptance *x)
{
	if (x->kept_n == 0)
		return;
	tell_queue(s, x);
	LOG(DEBUG, "store.accept", LOG_ID("mid", x->request->id), LOG_STR("sid", x->request->origin->session),
	    LOG_NUM("size", x->octets), LOG_NUM("rcpts", x->kept_n), LOG_NUM("mailboxes", x->items_n),
	    LOG_NUM("queued", x->queued_n));
}
