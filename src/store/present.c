/* SPDX-License-Identifier: ISC */
#include "store/present.h"

#include "store/queue.h"
#include "store/schema.h"

/* One that was held back and is in a mailbox now is in the copy as though it had been from the beginning. */
static void read_item(struct query *q, struct envelope_rcpt *r, struct arena *a)
{
	uint64_t mailbox = query_num(q), uid = query_num(q), uidvalidity = query_num(q), modseq = query_num(q);
	uint64_t flags = query_num(q);
	bool there = query_num(q) != 0;
	str name = query_str(q);

	r->expunged = !there;
	if (mailbox == 0)
		return; /* it went with its account */
	r->mailbox = mailbox;
	r->uid = uid;
	r->uidvalidity = uidvalidity;
	r->name = arena_str(a, name);
	if (!there)
		return;
	r->modseq = modseq;
	r->item_flags = flags;
}

static err read_credits(struct db *db, struct envelope *e, struct arena *a)
{
	struct query q = db_query(
		db,
		"SELECT l.rcpt, l.kind, coalesce(m.id, 0), l.uid, coalesce(m.uidvalidity, 0), coalesce(i.modseq, 0),"
		" coalesce(i.flags, 0), i.uid IS NOT NULL, coalesce(m.name, '') FROM ledger l"
		" LEFT JOIN mailbox m ON m.id = l.mailbox LEFT JOIN item i ON i.mailbox = l.mailbox AND i.uid = l.uid"
		" WHERE l.message = ? AND l.side = 1 ORDER BY l.rcpt");

	query_put_num(&q, e->id);
	while (query_row(&q)) {
		uint64_t i = query_num(&q), kind = query_num(&q);

		if (i >= e->rcpts_n)
			continue;
		if (e->rcpts[i].mailbox == 0)
			e->rcpts[i].settled = kind;
		if (kind == LEDGER_MAILBOX)
			read_item(&q, &e->rcpts[i], a);
	}
	return query_end(&q);
}

/* It may have been released since. */
static err read_quarantine(struct db *db, struct envelope *e)
{
	struct query q = db_query(db, "SELECT rcpt FROM queue WHERE message = ? AND state = ?");

	query_put_num(&q, e->id);
	query_put_num(&q, QUEUE_QUARANTINED);
	while (query_row(&q)) {
		uint64_t i = query_num(&q);

		if (i < e->rcpts_n)
			e->rcpts[i].quarantined = 1;
	}
	return query_end(&q);
}

err envelope_bring_up(struct db *db, struct envelope *e, struct arena *a)
{
	for (size_t i = 0; i < e->rcpts_n; i++) {
		e->rcpts[i].quarantined = 0;
		if (e->rcpts[i].mailbox == 0)
			e->rcpts[i].settled = 0;
	}
	err result = read_credits(db, e, a);
	if (result == OK)
		result = read_quarantine(db, e);
	return result == OK && a->full ? err_note(E_MEMORY, "no memory for an envelope") : result;
}
