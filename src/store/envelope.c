/* SPDX-License-Identifier: ISC */
#include "store/envelope.h"

#define FIELD_OF_NUM(f)        {#f, FIELD_NUM, offsetof(self, f), 0, NULL},
#define FIELD_OF_STR(f)        {#f, FIELD_STR, offsetof(self, f), 0, NULL},
#define FIELD_OF_LIST(type, f) {#f, FIELD_LIST, offsetof(self, f), offsetof(self, f##_n), &record_##type},
#define COUNT(...)             +1

#define RECORD_TABLE(r)                                                                       \
	static const struct field *fields_##r(void)                                           \
	{                                                                                     \
		typedef struct r self UNUSED;                                                 \
		static const struct field table[] = {                                         \
			FIELDS_##r(FIELD_OF_NUM, FIELD_OF_STR, FIELD_OF_LIST, COUNT, COUNT)}; \
		return table;                                                                 \
	}                                                                                     \
	const struct record record_##r = {#r, sizeof(struct r), fields_##r,                   \
	                                  0 FIELDS_##r(COUNT, COUNT, COUNT, COUNT, COUNT)};

RECORD_TABLE(envelope_rcpt)
RECORD_TABLE(envelope)
RECORD_TABLE(envelope_rcpt_2)
RECORD_TABLE(envelope_2)
RECORD_TABLE(envelope_rcpt_1)
RECORD_TABLE(envelope_1)
RECORD_TABLE(tombstone)
RECORD_TABLE(tombstones)
RECORD_TABLE(moved)
RECORD_TABLE(moves)

static err unpack(const struct record *r, str packed, void *out, struct arena *a)
{
	struct cursor c = cursor_of(packed);
	struct record_fds none = {0};

	return record_unpack(r, &c, out, a, &none);
}

static struct envelope_rcpt rcpt_of_2(const struct envelope_rcpt_2 *old)
{
	return (struct envelope_rcpt){.address = old->address,
	                              .original = old->original,
	                              .orcpt = old->orcpt,
	                              .notify = old->notify,
	                              .mailbox = old->mailbox,
	                              .name = old->name,
	                              .uidvalidity = old->uidvalidity,
	                              .uid = old->uid,
	                              .modseq = old->modseq,
	                              .expunged = old->expunged,
	                              .destination = old->destination,
	                              .sender = old->sender,
	                              .settled = old->settled};
}

static err unpack_2(str packed, struct envelope *out, struct arena *a)
{
	struct envelope_2 old;
	err e = unpack(&record_envelope_2, packed, &old, a);

	if (e != OK)
		return e;
	*out = (struct envelope){.id = old.id,
	                         .received = old.received,
	                         .sender = old.sender,
	                         .origin = old.origin,
	                         .origin_n = old.origin_n,
	                         .envid = old.envid,
	                         .ret = old.ret,
	                         .flags = old.flags,
	                         .message_id = old.message_id,
	                         .subject = old.subject,
	                         .rcpts = arena_array(a, old.rcpts_n, sizeof(*out->rcpts)),
	                         .hold_until = old.hold_until,
	                         .deliver_by = old.deliver_by,
	                         .by_mode = old.by_mode,
	                         .priority = old.priority};
	if (out->rcpts == NULL)
		return err_note(E_LIMIT, "no memory for an envelope");
	for (; out->rcpts_n < old.rcpts_n; out->rcpts_n++)
		out->rcpts[out->rcpts_n] = rcpt_of_2(&old.rcpts[out->rcpts_n]);
	return OK;
}

static struct envelope_rcpt rcpt_of_1(const struct envelope_rcpt_1 *old)
{
	return (struct envelope_rcpt){.address = old->address,
	                              .original = old->original,
	                              .orcpt = old->orcpt,
	                              .notify = old->notify,
	                              .mailbox = old->mailbox,
	                              .name = old->name,
	                              .uidvalidity = old->uidvalidity,
	                              .uid = old->uid,
	                              .modseq = old->modseq,
	                              .expunged = old->expunged};
}

static err unpack_1(str packed, struct envelope *out, struct arena *a)
{
	struct envelope_1 old;
	err e = unpack(&record_envelope_1, packed, &old, a);

	if (e != OK)
		return e;
	*out = (struct envelope){.id = old.id,
	                         .received = old.received,
	                         .sender = old.sender,
	                         .origin = old.origin,
	                         .origin_n = old.origin_n,
	                         .envid = old.envid,
	                         .ret = old.ret,
	                         .flags = old.flags,
	                         .message_id = old.message_id,
	                         .subject = old.subject,
	                         .rcpts = arena_array(a, old.rcpts_n, sizeof(*out->rcpts))};
	if (out->rcpts == NULL)
		return err_note(E_LIMIT, "no memory for an envelope");
	for (; out->rcpts_n < old.rcpts_n; out->rcpts_n++)
		out->rcpts[out->rcpts_n] = rcpt_of_1(&old.rcpts[out->rcpts_n]);
	return OK;
}

err envelope_unpack(const struct segment_record *record, struct envelope *out, struct arena *a)
{
	err e = record->kind == SEGMENT_MESSAGE_1   ? unpack_1(record->envelope, out, a)
	        : record->kind == SEGMENT_MESSAGE_2 ? unpack_2(record->envelope, out, a)
	                                            : unpack(&record_envelope, record->envelope, out, a);

	if (e == OK && out->origin_n != 1)
		return err_note(E_SYNTAX, "an envelope without its origin");
	return e;
}

err tombstones_unpack(str packed, struct tombstones *out, struct arena *a)
{
	return unpack(&record_tombstones, packed, out, a);
}

err moves_unpack(str packed, struct moves *out, struct arena *a)
{
	return unpack(&record_moves, packed, out, a);
}

/* --- prefix --- */

static void add_delivered_to(struct prefix *p, str address)
{
	if (address.n == 0 || p->n == PREFIX_ADDRESSES_MAX)
		return;
	for (size_t i = 0; i < p->n; i++)
		if (str_equal_nocase(p->seen[i], address))
			return;
	p->seen[p->n++] = address;
	buf_puts(&p->text, "Delivered-To: ");
	buf_put(&p->text, address);
	buf_puts(&p->text, "\r\n");
}

void prefix_begin(struct prefix *p, const struct envelope *e)
{
	p->text = BUF_INIT(64 << 10);
	p->n = 0;
	p->trust = STR("");
	buf_puts(&p->text, "Return-Path: <");
	buf_put(&p->text, e->sender);
	buf_puts(&p->text, ">\r\n");
}

/* The newest trace field stands first: the account's own address, then those that led to it. */
void prefix_add(struct prefix *p, const struct envelope_rcpt *rcpt)
{
	add_delivered_to(p, rcpt->address);
	add_delivered_to(p, rcpt->original);
	if (p->trust.n == 0)
		p->trust = rcpt->trust;
}

str prefix_end(struct prefix *p, struct arena *a)
{
	if (p->trust.n > 0) {
		buf_puts(&p->text, "Pombo-Sender: ");
		buf_put(&p->text, p->trust);
		buf_puts(&p->text, "\r\n");
	}
	str text = arena_str(a, buf_str(&p->text));

	buf_free(&p->text);
	return text;
}

str envelope_prefix(const struct envelope *e, uint64_t mailbox, struct arena *a)
{
	struct prefix p;

	prefix_begin(&p, e);
	for (size_t i = 0; i < e->rcpts_n; i++)
		if (e->rcpts[i].mailbox == mailbox)
			prefix_add(&p, &e->rcpts[i]);
	return prefix_end(&p, a);
}
