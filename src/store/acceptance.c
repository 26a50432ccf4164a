/* SPDX-License-Identifier: ISC */
#include "store/acceptance.h"

#include "base/log.h"
#include "store/ledger.h"

enum { DELIVERIES_MAX = 5000, TEXT_MAX = 2000, DROP_MAX = 1000 };

/* A message in a mailbox. */
struct item {
	struct mailbox_state *mailbox;
	const struct envelope_rcpt *rcpt; /* one of those that it is for */
	uint64_t size;
	str prefix;
};

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

/* These texts stand in header fields of messages. */
err acceptance_check(const struct store *s, const struct accept_request *q)
{
	bool good =
		q->origin_n == 1 && q->rcpts_n > 0 && is_text(q->sender) && is_text(q->envid) && is_text(q->message_id);

	for (size_t i = 0; i < q->rcpts_n && good; i++)
		good = is_text(q->rcpts[i].address) && is_text(q->rcpts[i].orcpt);
	if (!good || !drop_is_sound(q) || q->id == 0 || q->id >= s->next_id)
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
	for (size_t i = 0; i < r->n; i++)
		x->deliveries[x->deliveries_n++] = (struct delivery){.rcpt = rcpt, .target = &r->targets[i]};
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

err acceptance_route(struct store *s, struct acceptance *x, bool relay UNUSED)
{
	for (size_t i = 0; i < x->request->rcpts_n; i++) {
		struct route r;
		err e = route_address(s->db, s->config, x->request->rcpts[i].address, x->arena, &r);

		if (e == OK)
			e = add_deliveries(x, i, &r);
		answer(&x->answers[i], e, x->arena);
	}
	spread_refusal(x);
	return x->arena->full ? no_memory() : OK;
}

/* --- in the writer: prepare --- */

static uint64_t quota_of(struct writer *w, const struct account_state *a)
{
	return a->quota != 0 ? a->quota : writer_settings(w)->quota;
}

static bool has_item(const struct acceptance *x, const struct mailbox_state *m)
{
	for (size_t i = 0; i < x->items_n; i++)
		if (x->items[i].mailbox == m)
			return true;
	return false;
}

static err find_mailbox(struct writer *w, struct delivery *d)
{
	err e = counters_mailbox(writer_counters(w), writer_db(w), d->target->mailbox, &d->mailbox);

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
		err e = x->answers[d->rcpt].code == OK ? check_delivery(w, x, d) : OK;

		if (e != OK)
			answer(&x->answers[d->rcpt], e, x->arena);
	}
	spread_refusal(x);
	/* A recipient that stands for several accounts gets all of it or nothing. */
	size_t kept = 0;
	for (size_t i = 0; i < x->deliveries_n; i++)
		if (x->answers[x->deliveries[i].rcpt].code == OK)
			x->deliveries[kept++] = x->deliveries[i];
	x->deliveries_n = kept;
}

static struct envelope_rcpt envelope_rcpt_of(const struct acceptance *x, const struct delivery *d)
{
	const struct rcpt *r = &x->request->rcpts[d->rcpt];
	const struct mailbox_state *m = d->mailbox;

	return (struct envelope_rcpt){
		.address = d->target->address,
		.original = str_equal_nocase(r->address, d->target->address) ? STR_NONE : r->address,
		.orcpt = r->orcpt,
		.notify = r->notify,
		.mailbox = m->id,
		.name = m->name,
		.uidvalidity = m->uidvalidity,
		.uid = m->now.uidnext,
		.modseq = m->now.modseq + 1,
	};
}

static err fill_envelope(struct acceptance *x)
{
	struct envelope *e = &x->envelope;

	e->rcpts = arena_array(x->arena, x->deliveries_n, sizeof(*e->rcpts));
	x->items = arena_array(x->arena, x->deliveries_n, sizeof(*x->items));
	if (e->rcpts == NULL || x->items == NULL)
		return no_memory();
	for (size_t i = 0; i < x->deliveries_n; i++) {
		struct mailbox_state *m = x->deliveries[i].mailbox;
		struct envelope_rcpt *rcpt = &e->rcpts[e->rcpts_n++];

		*rcpt = envelope_rcpt_of(x, &x->deliveries[i]);
		if (!has_item(x, m))
			x->items[x->items_n++] = (struct item){.mailbox = m, .rcpt = rcpt};
	}
	for (size_t i = 0; i < x->items_n; i++) {
		x->items[i].prefix = envelope_prefix(e, x->items[i].mailbox->id, x->arena);
		x->items[i].size = x->items[i].prefix.n + x->octets;
	}
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
	x->items_n = x->envelope.rcpts_n = 0;
	check_deliveries(w, x);
	if (x->deliveries_n == 0)
		return OK;
	err e = fill_envelope(x);
	if (e == OK)
		e = append_record(w, x);
	for (size_t i = 0; i < x->items_n && e == OK; i++)
		counters_add(writer_counters(w), x->items[i].mailbox, x->items[i].size);
	return e;
}

/* --- in the writer: apply --- */

err acceptance_apply(struct writer *w, struct acceptance *x)
{
	struct db *db = writer_db(w);

	if (x->deliveries_n == 0)
		return OK;
	err e = message_insert(db, &x->envelope, &x->at, x->octets, x->items_n);
	for (size_t i = 0; i < x->items_n && e == OK; i++) {
		const struct item *item = &x->items[i];

		e = item_insert(db, &x->envelope, item->rcpt, item->prefix, item->size);
		if (e == OK)
			e = change_add(db, item->rcpt->mailbox, item->rcpt->modseq, item->rcpt->uid, CHANGE_ADDED);
	}
	for (size_t i = 0; i < x->envelope.rcpts_n && e == OK; i++)
		e = ledger_deliver(db, &x->envelope, i);
	writer_live(w, x->at.length);
	return e;
}

/* --- on the loop again --- */

void acceptance_committed(struct store *s UNUSED, const struct acceptance *x)
{
	if (!acceptance_kept(x))
		return;
	LOG(DEBUG, "store.accept", LOG_ID("mid", x->request->id), LOG_STR("sid", x->request->origin->session),
	    LOG_NUM("size", x->octets), LOG_NUM("rcpts", x->deliveries_n), LOG_NUM("mailboxes", x->items_n));
}
