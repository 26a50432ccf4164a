/* SPDX-License-Identifier: ISC */
#include "store/message.h"

#include "base/date.h"
#include "base/fnv.h"
#include "store/queue.h"
#include "store/writer.h"

err message_insert(struct db *db, const struct envelope *e, const struct location *at, uint64_t body, uint64_t items)
{
	struct query q = db_query(
		db, "INSERT INTO message (id, segment, offset, length, body, items, received, sender, session, client,"
		    " helo, protocol, login, message_id, subject, envid, ret, flags, deliver_by, by_mode, priority)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	query_put_num(&q, e->id);
	query_put_num(&q, at->segment);
	query_put_num(&q, at->offset);
	query_put_num(&q, at->length);
	query_put_num(&q, body);
	query_put_num(&q, items);
	query_put_num(&q, e->received);
	query_put_str(&q, e->sender);
	query_put_str(&q, e->origin->session);
	query_put_str(&q, e->origin->client);
	query_put_str(&q, e->origin->helo);
	query_put_str(&q, e->origin->protocol);
	query_put_str(&q, e->origin->login);
	query_put_str(&q, e->message_id);
	query_put_str(&q, e->subject);
	query_put_str(&q, e->envid);
	query_put_num(&q, e->ret);
	query_put_num(&q, e->flags);
	query_put_num(&q, e->deliver_by);
	query_put_num(&q, e->by_mode);
	query_put_num(&q, e->priority);
	return query_run(&q);
}

err item_insert(struct db *db, const struct envelope *e, const struct envelope_rcpt *rcpt, str prefix, uint64_t octets)
{
	struct query q =
		db_query(db, "INSERT INTO item (mailbox, uid, message, modseq, flags, received, size, prefix) VALUES "
	                     "(?, ?, ?, ?, ?, ?, ?, ?)");

	query_put_num(&q, rcpt->mailbox);
	query_put_num(&q, rcpt->uid);
	query_put_num(&q, e->id);
	query_put_num(&q, rcpt->modseq);
	query_put_num(&q, rcpt->item_flags);
	query_put_num(&q, e->received);
	query_put_num(&q, octets);
	query_put_str(&q, prefix);
	return query_run(&q);
}

/* --- what is queued --- */

/* What is more urgent than usual goes before what came a few minutes earlier, what is less waits a few seconds for others (RFC 6710): an order among
 * what waits, and no more. What is held back is not let go before its time. */
static uint64_t due_of(const struct envelope *e)
{
	uint64_t normal = 10, ahead = 60 * USEC_PER_SEC, behind = USEC_PER_SEC;

	if (e->hold_until > e->received)
		return e->hold_until;
	if (e->priority > normal)
		return e->received - (e->priority - normal) * ahead;
	return e->priority == 0 ? e->received : e->received + (normal - e->priority) * behind;
}

/* That somebody may choose his lane gives him nothing. */
static uint64_t lane_of(const struct envelope *e)
{
	str login = e->origin->login,
	    who = login.n > 0 ? login : str_drop(e->sender, str_find_last(e->sender, '@') + 1);
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < who.n; i++) {
		unsigned c = (unsigned char)who.p[i];

		hash = fnv_word(hash, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	return (hash ^ hash >> 32) % QUEUE_LANES;
}

struct queue_times queue_times_of(const struct envelope *e, uint64_t expire)
{
	struct queue_times t = {.due = due_of(e), .lane = lane_of(e)};

	t.expires = (e->hold_until > e->received ? e->hold_until : e->received) + expire;
	if (e->by_mode == BY_RETURN && e->deliver_by < t.expires)
		t.expires = e->deliver_by;
	return t;
}

err queue_insert(struct db *db, const struct envelope *e, size_t rcpt, const struct queue_times *times)
{
	struct query q =
		db_query(db, "INSERT INTO queue (message, rcpt, destination, lane, due, expires, sender, state,"
	                     " item_flags, trust) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	bool quarantined = e->rcpts[rcpt].quarantined != 0;

	query_put_num(&q, e->id);
	query_put_num(&q, rcpt);
	query_put_str(&q, e->rcpts[rcpt].destination);
	query_put_num(&q, e->rcpts[rcpt].destination.n > 0 ? times->lane : 0);
	query_put_num(&q, quarantined ? times->due + QUEUE_DUE_HELD : times->due);
	query_put_num(&q, times->expires);
	query_put_str(&q, e->rcpts[rcpt].sender);
	query_put_num(&q, quarantined ? QUEUE_QUARANTINED : QUEUE_WAITING);
	query_put_num(&q, e->rcpts[rcpt].item_flags);
	query_put_str(&q, e->rcpts[rcpt].trust);
	return query_run(&q);
}

err message_release(struct writer *w, uint64_t message, uint64_t n)
{
	struct query q = db_query(writer_db(w),
	                          "UPDATE message SET items = items - ? WHERE id = ? RETURNING items, segment, length");
	uint64_t items = 1, segment = 0, length = 0;

	query_put_num(&q, n);
	query_put_num(&q, message);
	if (query_row(&q)) {
		items = query_num(&q);
		segment = query_num(&q);
		length = query_num(&q);
	}
	err e = query_end(&q);
	return e == OK && items == 0 ? writer_dead(w, segment, length) : e;
}
