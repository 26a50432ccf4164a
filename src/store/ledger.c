/* SPDX-License-Identifier: ISC */
#include "store/ledger.h"

err ledger_accept(struct db *db, const struct envelope *e, size_t rcpt)
{
	const struct envelope_rcpt *r = &e->rcpts[rcpt];
	struct query q =
		db_query(db, "INSERT INTO ledger (message, rcpt, side, kind, at, address, original, orcpt, notify)"
	                     " VALUES (?, ?, 0, 0, ?, ?, ?, ?, ?)");

	query_put_num(&q, e->id);
	query_put_num(&q, rcpt);
	query_put_num(&q, e->received);
	query_put_str(&q, r->address);
	query_put_str(&q, r->original);
	query_put_str(&q, r->orcpt);
	query_put_num(&q, r->notify);
	return query_run(&q);
}

err ledger_mailbox(struct db *db, uint64_t message, uint64_t rcpt, uint64_t at, const struct envelope_rcpt *to)
{
	struct query q = db_query(
		db, "INSERT INTO ledger (message, rcpt, side, kind, at, mailbox, uid) VALUES (?, ?, 1, 1, ?, ?, ?)");

	query_put_num(&q, message);
	query_put_num(&q, rcpt);
	query_put_num(&q, at);
	query_put_num(&q, to->mailbox);
	query_put_num(&q, to->uid);
	return query_run(&q);
}

err ledger_move(struct db *db, uint64_t message, struct item_place from, struct item_place to, str detail)
{
	struct query q = db_query(db, "UPDATE ledger SET mailbox = ?, uid = ?, detail = ?"
	                              " WHERE message = ? AND side = 1 AND kind = 1 AND mailbox = ? AND uid = ?");

	query_put_num(&q, to.mailbox);
	query_put_num(&q, to.uid);
	query_put_str(&q, detail);
	query_put_num(&q, message);
	query_put_num(&q, from.mailbox);
	query_put_num(&q, from.uid);
	return query_run(&q);
}

err ledger_deliver(struct db *db, const struct envelope *e, size_t rcpt)
{
	err result = ledger_accept(db, e, rcpt);

	return result == OK ? ledger_mailbox(db, e->id, rcpt, e->received, &e->rcpts[rcpt]) : result;
}

err ledger_credit(struct db *db, const struct ledger_credit *c)
{
	struct query q =
		db_query(db, "INSERT INTO ledger (message, rcpt, side, kind, at, status, detail, host, security)"
	                     " VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)");

	query_put_num(&q, c->message);
	query_put_num(&q, c->rcpt);
	query_put_num(&q, c->kind);
	query_put_num(&q, c->at);
	query_put_str(&q, c->status);
	query_put_str(&q, c->reply);
	query_put_str(&q, c->host);
	query_put_str(&q, c->security);
	return query_run(&q);
}

enum { QUEUED = 100 }; /* in the query below, beside the kinds of credits */

/* Each entry is looked at from its own side, so that a debit without credit is never hidden by a credit without debit. */
err ledger_balance(struct db *db, uint64_t since, struct balance *out)
{
	struct query q = db_query(
		db, "SELECT CASE WHEN c.kind IS NOT NULL THEN c.kind"
		    " WHEN EXISTS (SELECT 1 FROM queue q WHERE q.message = d.message AND q.rcpt = d.rcpt) THEN 100"
		    " ELSE 0 END, count(*) FROM ledger d LEFT JOIN ledger c"
		    " ON c.message = d.message AND c.rcpt = d.rcpt AND c.side = 1"
		    " WHERE d.side = 0 AND d.at >= ? GROUP BY 1"
		    " UNION ALL SELECT -1, count(*) FROM ledger c WHERE c.side = 1 AND c.at >= ? AND NOT EXISTS"
		    " (SELECT 1 FROM ledger d WHERE d.message = c.message AND d.rcpt = c.rcpt AND d.side = 0)");

	*out = (struct balance){0};
	query_put_num(&q, since);
	query_put_num(&q, since);
	while (query_row(&q)) {
		uint64_t kind = query_num(&q), n = query_num(&q);

		if (kind > LEDGER_ACCEPTED && kind < LEDGER_KINDS)
			out->credits[kind] += n;
		else if (kind == QUEUED)
			out->queued += n;
		else
			out->lost += n; /* no credit, none of a known kind, or a credit for nothing */
		if (kind != UINT64_MAX)
			out->accepted += n;
	}
	return query_end(&q);
}
