/* SPDX-License-Identifier: ISC */
#include "store/rebuild_place.h"

#include "store/backup.h"

/* The item of a message goes from a place to another one, and its credits do. */
struct place_step {
	uint64_t message;
	struct item_place from, to;
	uint64_t modseq, flags;
};

/* In the file, and not in memory: there may be millions. */
static const char begin_sql[] =
	"CREATE TABLE gone (message INTEGER NOT NULL, mailbox INTEGER NOT NULL, uid INTEGER NOT NULL);"
	"CREATE TABLE way (step INTEGER PRIMARY KEY, message INTEGER NOT NULL, from_mailbox INTEGER NOT NULL,"
	" from_uid INTEGER NOT NULL, mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, modseq INTEGER NOT NULL,"
	" flags INTEGER NOT NULL, UNIQUE (message, from_mailbox, from_uid));";

err places_begin(struct db *db)
{
	return db_script(db, begin_sql);
}

/* --- one --- */

static err item_at(struct db *db, struct item_place at, uint64_t *message)
{
	struct query q = db_query(db, "SELECT message FROM item WHERE mailbox = ? AND uid = ?");

	*message = 0;
	query_put_num(&q, at.mailbox);
	query_put_num(&q, at.uid);
	return query_one(&q, message, NULL);
}

static err set_place(struct db *db, const struct place_step *s)
{
	struct query q = db_query(db, "UPDATE OR REPLACE item SET mailbox = ?, uid = ?, modseq = ?, flags = ?"
	                              " WHERE mailbox = ? AND uid = ?");

	query_put_num(&q, s->to.mailbox);
	query_put_num(&q, s->to.uid);
	query_put_num(&q, s->modseq);
	query_put_num(&q, s->flags);
	query_put_num(&q, s->from.mailbox);
	query_put_num(&q, s->from.uid);
	err e = query_run(&q);
	return e == OK ? ledger_move(db, s->message, s->from, s->to, STR("")) : e;
}

static err push_aside(struct db *db, struct item_place at, uint64_t message)
{
	struct query q = db_query(db, "SELECT modseq, flags FROM item WHERE mailbox = ? AND uid = ?");
	struct place_step s = {.message = message, .from = at, .to = {at.mailbox, at.uid + BACKUP_UID_GAP}};

	query_put_num(&q, at.mailbox);
	query_put_num(&q, at.uid);
	if (query_row(&q)) {
		s.modseq = query_num(&q);
		s.flags = query_num(&q);
	}
	err e = query_end(&q);
	return e == OK ? set_place(db, &s) : e;
}

err place_make_way(struct db *db, struct item_place at, uint64_t message)
{
	uint64_t other = 0;
	err e = item_at(db, at, &other);

	return e == OK && other != 0 && other != message ? push_aside(db, at, other) : e;
}

static err place_delete(struct db *db, uint64_t message, struct item_place at)
{
	struct query q = db_query(db, "DELETE FROM item WHERE mailbox = ? AND uid = ? AND message = ?");

	query_put_num(&q, at.mailbox);
	query_put_num(&q, at.uid);
	query_put_num(&q, message);
	return query_run(&q);
}

/* Where it is by what was read so far. */
static err read_place(struct db *db, uint64_t message, size_t rcpt, struct item_place *out)
{
	struct query q = db_query(db, "SELECT mailbox, uid FROM ledger WHERE message = ? AND rcpt = ? AND side = 1");

	*out = (struct item_place){0};
	query_put_num(&q, message);
	query_put_num(&q, rcpt);
	if (query_row(&q)) {
		out->mailbox = query_num(&q);
		out->uid = query_num(&q);
	}
	return query_end(&q);
}

static err move_there(struct db *db, const struct place_step *step)
{
	uint64_t message = 0;
	err e = item_at(db, step->from, &message);

	if (e != OK || message != step->message)
		return e;
	e = place_make_way(db, step->to, step->message);
	return e == OK ? set_place(db, step) : e;
}

err place_renew(struct db *db, const struct envelope *envelope, size_t i)
{
	const struct envelope_rcpt *rcpt = &envelope->rcpts[i];
	struct place_step step = {.message = envelope->id,
	                          .to = {rcpt->mailbox, rcpt->uid},
	                          .modseq = rcpt->modseq,
	                          .flags = rcpt->item_flags};
	err e = read_place(db, envelope->id, i, &step.from);

	if (e == OK)
		e = rcpt->expunged ? place_delete(db, envelope->id, step.from) : move_there(db, &step);
	/* Without an item the credit alone. */
	return e == OK ? ledger_move(db, envelope->id, step.from, step.to, STR("")) : e;
}

/* --- what is noted --- */

static err note_gone(struct db *db, const struct tombstone *t)
{
	struct query q = db_query(db, "INSERT INTO gone (message, mailbox, uid) VALUES (?, ?, ?)");

	query_put_num(&q, t->message);
	query_put_num(&q, t->mailbox);
	query_put_num(&q, t->uid);
	return query_run(&q);
}

/* One whose item is there already need not wait. */
err places_note_tombstones(struct db *db, const struct tombstones *t)
{
	err e = OK;

	for (size_t i = 0; i < t->items_n && e == OK; i++) {
		const struct tombstone *x = &t->items[i];

		e = place_delete(db, x->message, (struct item_place){x->mailbox, x->uid});
		if (e == OK && db_changes(db) == 0)
			e = note_gone(db, x);
	}
	return e;
}

/* Of two from one place the later one was committed: the batch of the earlier one failed. */
static err note_move(struct db *db, const struct moves *m, const struct moved *item)
{
	struct query q =
		db_query(db, "INSERT OR REPLACE INTO way (message, from_mailbox, from_uid, mailbox, uid, modseq, flags)"
	                     " VALUES (?, ?, ?, ?, ?, ?, ?)");

	query_put_num(&q, item->message);
	query_put_num(&q, m->from);
	query_put_num(&q, item->from_uid);
	query_put_num(&q, m->mailbox);
	query_put_num(&q, item->uid);
	query_put_num(&q, item->modseq);
	query_put_num(&q, item->flags);
	return query_run(&q);
}

err places_note_moves(struct db *db, const struct moves *m)
{
	err e = OK;

	for (size_t i = 0; i < m->items_n && e == OK; i++)
		e = note_move(db, m, &m->items[i]);
	return e;
}

/* --- and done --- */

static err delete_gone(struct db *db)
{
	struct query q = db_query(db, "SELECT message, mailbox, uid FROM gone");
	err e = OK;

	while (e == OK && query_row(&q)) {
		uint64_t message = query_num(&q);
		struct item_place at = {.mailbox = query_num(&q)};

		at.uid = query_num(&q);
		e = place_delete(db, message, at);
	}
	err end = query_end(&q);
	return e == OK ? end : e;
}

static err forget_step(struct db *db, uint64_t step)
{
	struct query q = db_query(db, "DELETE FROM way WHERE step = ?");

	query_put_num(&q, step);
	return query_run(&q);
}

/* Where another message is by now the step was never committed, and its uid given out again. */
static err go(struct db *db, const struct place_step *s, uint64_t step, bool *gone)
{
	uint64_t from = 0, to = 0;
	err e = item_at(db, s->from, &from);

	if (e == OK)
		e = item_at(db, s->to, &to);
	*gone = e == OK && from == s->message && to == 0;
	if (!*gone)
		return e;
	e = set_place(db, s);
	return e == OK ? forget_step(db, step) : e;
}

static err go_all(struct db *db, bool *any)
{
	struct query q = db_query(
		db, "SELECT step, message, from_mailbox, from_uid, mailbox, uid, modseq, flags FROM way ORDER BY step");
	err e = OK;

	*any = false;
	while (e == OK && query_row(&q)) {
		uint64_t step = query_num(&q);
		struct place_step s = {.message = query_num(&q)};
		bool gone = false;

		s.from.mailbox = query_num(&q);
		s.from.uid = query_num(&q);
		s.to.mailbox = query_num(&q);
		s.to.uid = query_num(&q);
		s.modseq = query_num(&q);
		s.flags = query_num(&q);
		e = go(db, &s, step, &gone);
		*any |= gone;
	}
	err end = query_end(&q);
	return e == OK ? end : e;
}

/* Almost always once, and once more that finds nothing: as often as compaction turned the order round. Each step is gone once at most. */
err places_settle(struct db *db)
{
	bool any = true;
	err e = delete_gone(db);

	while (e == OK && any) {
		e = go_all(db, &any);
		if (e == OK && any)
			e = delete_gone(db);
	}
	return e == OK ? db_script(db, "DROP TABLE gone; DROP TABLE way") : e;
}
