/* SPDX-License-Identifier: ISC */
#include "store/compact.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "store/envelope.h"
#include "store/queue.h"
#include "store/recover.h"

#define PAUSE       (60 * NSEC_PER_SEC)
#define STEP_OCTETS (4ull << 20)
enum { STEP_RECORDS = 500, PASSES_MAX = 3 };

/* --- one step: some records of a segment, read by a worker, moved by the writer --- */

struct move {
	uint64_t message, offset, length, items; /* as the row had them */
	str envelope, body;
	struct location to;
};

struct step {
	struct store *store;
	uint64_t segment;
	struct segment_scan *scan;
	struct arena arena;
	struct move moves[STEP_RECORDS];
	size_t moves_n;
	uint64_t dead[STEP_RECORDS]; /* messages */
	size_t dead_n;
	str tombstones[STEP_RECORDS];
	size_t tombstones_n;
	bool carry; /* tombstones too */
	bool end;   /* of the segment */
	err result;
};

struct message_row {
	uint64_t segment, offset, items;
	bool found;
};

static err read_row(struct db *db, uint64_t id, struct message_row *row)
{
	struct query q = db_query(db, "SELECT segment, offset, items FROM message WHERE id = ?");

	*row = (struct message_row){0};
	query_put_num(&q, id);
	row->found = query_row(&q);
	if (row->found) {
		row->segment = query_num(&q);
		row->offset = query_num(&q);
		row->items = query_num(&q);
	}
	return query_end(&q);
}

static err mark_expunged(struct db *db, struct envelope_rcpt *rcpt)
{
	struct query q = db_query(db, "SELECT 1 FROM item WHERE mailbox = ? AND uid = ?");
	uint64_t one;
	bool there = false;

	query_put_num(&q, rcpt->mailbox);
	query_put_num(&q, rcpt->uid);
	err e = query_one(&q, &one, &there);
	rcpt->expunged = !there;
	return e;
}

/* It may have been released since. */
static err mark_quarantined(struct db *db, uint64_t message, size_t i, struct envelope_rcpt *rcpt)
{
	struct query q = db_query(db, "SELECT state FROM queue WHERE message = ? AND rcpt = ?");
	uint64_t state = QUEUE_WAITING;

	query_put_num(&q, message);
	query_put_num(&q, i);
	err e = query_one(&q, &state, NULL);
	rcpt->quarantined = state == QUEUE_QUARANTINED;
	return e;
}

/* One that was held back and is in a mailbox now is in the copy as though it had been from the beginning. */
static err mark_settled(struct db *db, uint64_t message, size_t i, struct envelope_rcpt *rcpt, struct arena *a)
{
	struct query q = db_query(
		db, "SELECT l.kind, l.uid, coalesce(m.id, 0), coalesce(m.uidvalidity, 0), coalesce(i.modseq, 0),"
		    " coalesce(m.name, '') FROM ledger l LEFT JOIN mailbox m ON m.id = l.mailbox"
		    " LEFT JOIN item i ON i.mailbox = l.mailbox AND i.uid = l.uid"
		    " WHERE l.message = ? AND l.rcpt = ? AND l.side = 1");

	query_put_num(&q, message);
	query_put_num(&q, i);
	rcpt->settled = 0;
	if (query_row(&q)) {
		rcpt->settled = query_num(&q);
		rcpt->uid = query_num(&q);
		rcpt->mailbox = query_num(&q);
		rcpt->uidvalidity = query_num(&q);
		rcpt->modseq = query_num(&q);
		rcpt->name = arena_str(a, query_str(&q));
	}
	err e = query_end(&q);
	if (e == OK && rcpt->settled == 0)
		return mark_quarantined(db, message, i, rcpt);
	return e == OK && rcpt->mailbox != 0 ? mark_expunged(db, rcpt) : e;
}

/* The copy says which items were gone when it was made, so that older tombstones are not needed for it, and what was known of recipients on other
 * servers. */
static err mark_recipients(struct db *db, struct envelope *e, struct arena *a)
{
	err result = OK;

	for (size_t i = 0; i < e->rcpts_n && result == OK; i++)
		result = e->rcpts[i].mailbox != 0 ? mark_expunged(db, &e->rcpts[i])
		                                  : mark_settled(db, e->id, i, &e->rcpts[i], a);
	return result;
}

static str pack(const struct record *r, const void *data, struct arena *a)
{
	BUF(packed, 64 << 20);
	struct record_fds none = {0};

	record_pack(r, data, &packed, &none);
	if (packed.full)
		a->full = true;
	return arena_str(a, buf_str(&packed));
}

static err look_at_message(struct step *x, struct db *db, const struct segment_record *record)
{
	struct envelope envelope;
	struct message_row row;
	err e = envelope_unpack(record, &envelope, &x->arena);

	if (e == OK)
		e = read_row(db, envelope.id, &row);
	if (e != OK || !row.found || row.segment != x->segment || row.offset != x->scan->at)
		return e; /* not in use: uncommitted, or moved before */
	if (row.items == 0) {
		x->dead[x->dead_n++] = envelope.id;
		return OK;
	}
	e = mark_recipients(db, &envelope, &x->arena);
	x->moves[x->moves_n++] = (struct move){.message = envelope.id,
	                                       .offset = row.offset,
	                                       .length = record->length,
	                                       .items = row.items,
	                                       .envelope = pack(&record_envelope, &envelope, &x->arena),
	                                       .body = arena_str(&x->arena, record->body)};
	return e;
}

/* A tombstone is needed as long as the record of its message is in another segment. */
static err look_at_tombstones(struct step *x, struct db *db, const struct segment_record *record)
{
	struct tombstones t;
	size_t kept = 0;
	err e = x->carry ? tombstones_unpack(record->envelope, &t, &x->arena) : E_END;

	for (size_t i = 0; e == OK && i < t.items_n; i++) {
		struct message_row row;

		e = read_row(db, t.items[i].message, &row);
		if (row.found && row.segment != 0 && row.segment != x->segment)
			t.items[kept++] = t.items[i];
	}
	if (e != OK || kept == 0)
		return e == E_END ? OK : e;
	t.items_n = kept;
	x->tombstones[x->tombstones_n++] = pack(&record_tombstones, &t, &x->arena);
	return OK;
}

static err look_at_records(struct step *x, struct db *db)
{
	struct segment_record record;

	for (size_t i = 0; i < STEP_RECORDS && x->arena.used < STEP_OCTETS; i++) {
		err e = segment_scan_next(x->scan, &record);

		x->end = e == E_END;
		if (e == OK)
			e = record.kind == SEGMENT_TOMBSTONES ? look_at_tombstones(x, db, &record)
			                                      : look_at_message(x, db, &record);
		if (e != OK)
			return e == E_END ? OK : e;
		if (x->arena.full)
			return err_note(E_MEMORY, "no memory to compact");
	}
	return OK;
}

static void step_work(void *arg)
{
	struct step *x = arg;
	struct db *db;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	x->result = look_at_records(x, db);
	readers_give(x->store->readers, db);
}

static err move_prepare(struct writer *w, struct job *job)
{
	struct step *x = job->data;
	struct location ignored;
	err e = OK;

	for (size_t i = 0; i < x->moves_n && e == OK; i++) {
		struct move *m = &x->moves[i];

		e = writer_append(w, SEGMENT_MESSAGE, m->envelope, &m->body, 1, &m->to);
	}
	for (size_t i = 0; i < x->tombstones_n && e == OK; i++)
		e = writer_append(w, SEGMENT_TOMBSTONES, x->tombstones[i], NULL, 0, &ignored);
	return e;
}

/* Only while the row is as it was when the copy was made: else the copy is dead from its birth, and the next pass makes another. */
static err move_row(struct writer *w, uint64_t segment, const struct move *m)
{
	struct query q = db_query(writer_db(w), "UPDATE message SET segment = ?, offset = ?, length = ?"
	                                        " WHERE id = ? AND segment = ? AND offset = ? AND items = ?");

	query_put_num(&q, m->to.segment);
	query_put_num(&q, m->to.offset);
	query_put_num(&q, m->to.length);
	query_put_num(&q, m->message);
	query_put_num(&q, segment);
	query_put_num(&q, m->offset);
	query_put_num(&q, m->items);
	err e = query_run(&q);
	if (e != OK || db_changes(writer_db(w)) == 0)
		return e;
	writer_live(w, m->to.length);
	return writer_dead(w, segment, m->length);
}

static err forget_row(struct writer *w, uint64_t segment, uint64_t message)
{
	struct query q =
		db_query(writer_db(w), "UPDATE message SET segment = 0 WHERE id = ? AND segment = ? AND items = 0");

	query_put_num(&q, message);
	query_put_num(&q, segment);
	return query_run(&q);
}

static err move_apply(struct writer *w, struct job *job)
{
	struct step *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->moves_n && e == OK; i++)
		e = move_row(w, x->segment, &x->moves[i]);
	for (size_t i = 0; i < x->dead_n && e == OK; i++)
		e = forget_row(w, x->segment, x->dead[i]);
	return e;
}

static err step(struct step *x)
{
	static const struct job_kind kind = {.prepare = move_prepare, .apply = move_apply};
	struct job job = {.kind = &kind, .data = x};

	x->moves_n = x->dead_n = x->tombstones_n = 0;
	rt_work(step_work, x);
	if (x->result != OK || x->moves_n + x->dead_n + x->tombstones_n == 0)
		return x->result;
	return writer_do(x->store->writer, &job);
}

/* --- one segment --- */

struct candidate {
	struct store *store;
	uint64_t after, current, number, size; /* number 0: none */
	bool all;
	err result;
};

static bool closing(const struct store *s)
{
	return s->closer != NULL || rt_cancelled();
}

static err pass(struct store *s, const struct segment *segment, uint64_t size, bool first)
{
	struct segment_scan scan = segment_scan_begin(segment, size);
	struct step *x = calloc(1, sizeof(*x));
	err e = x == NULL ? err_note(E_MEMORY, "no memory to compact") : OK;

	while (e == OK && !x->end && !closing(s)) {
		x->store = s;
		x->segment = segment->number;
		x->scan = &scan;
		x->carry = first;
		x->arena = ARENA_INIT(SEGMENT_RECORD_MAX);
		e = step(x);
		arena_free(&x->arena);
	}
	if (e == OK && !x->end)
		e = err_note(E_CANCELLED, "compaction was interrupted");
	free(x);
	segment_scan_end(&scan);
	return e;
}

struct drop {
	uint64_t segment;
	bool dropped;
};

static err drop_apply(struct writer *w, struct job *job)
{
	struct drop *d = job->data;
	struct query q = db_query(writer_db(w), "DELETE FROM segment WHERE number = ? AND live = 0");

	query_put_num(&q, d->segment);
	err e = query_run(&q);
	d->dropped = db_changes(writer_db(w)) > 0;
	return e;
}

/* Passes until nothing is left in it; messages that are being expunged meanwhile take another one. */
static err empty_segment(struct store *s, const struct segment *segment, uint64_t size, bool *dropped)
{
	static const struct job_kind kind = {.apply = drop_apply};
	struct drop drop = {.segment = segment->number};
	err e = OK;

	for (int i = 0; i < PASSES_MAX && e == OK && !drop.dropped; i++) {
		struct job job = {.kind = &kind, .data = &drop};

		e = pass(s, segment, size, i == 0);
		if (e == OK)
			e = writer_do(s->writer, &job);
	}
	*dropped = drop.dropped;
	return e;
}

static err compact_segment(struct store *s, const struct candidate *c, struct compaction *done)
{
	struct segment segment;
	bool dropped = false;
	err e = segment_open(s->folder.bodies, c->number, SEGMENT_READ, &segment);

	if (e != OK)
		return e;
	e = empty_segment(s, &segment, c->size, &dropped);
	segment_close(&segment);
	if (e == OK && dropped) {
		done->segments++;
		done->octets += c->size;
		LOG(INFO, "store.compact", LOG_NUM("segment", c->number), LOG_NUM("size", c->size));
	}
	return e;
}

/* --- all of them --- */

static void find_candidate(void *arg)
{
	struct candidate *c = arg;
	struct db *db;

	c->number = 0;
	c->result = readers_take(c->store->readers, &db);
	if (c->result != OK)
		return;
	struct query q = db_query(db, "SELECT number, size FROM segment WHERE number > ? AND number <> ?"
	                              " AND (live * 2 < size OR (? = 1 AND live + ? < size)) ORDER BY number LIMIT 1");
	query_put_num(&q, c->after);
	query_put_num(&q, c->current);
	query_put_num(&q, c->all);
	query_put_num(&q, SEGMENT_HEADER);
	if (query_row(&q)) {
		c->number = query_num(&q);
		c->size = query_num(&q);
	}
	c->result = query_end(&q);
	readers_give(c->store->readers, db);
}

struct sweeping {
	struct store *store;
	struct db *db;
	uint64_t newest;
};

static err sweep_file(void *arg, uint64_t number)
{
	struct sweeping *x = arg;
	struct query q = db_query(x->db, "SELECT 1 FROM segment WHERE number = ?");
	char name[SEGMENT_NAME_MAX];
	uint64_t one;
	bool known = true;

	query_put_num(&q, number);
	err e = query_one(&q, &one, &known);
	if (e != OK || known || number >= x->newest)
		return e;
	segment_name(number, name);
	readers_forget(x->store->readers, number);
	if (unlinkat(x->store->folder.bodies, name, 0) != 0)
		LOG(WARN, "store.sweep", LOG_NUM("segment", number), LOG_Z("error", strerrordesc_np(errno)));
	return OK;
}

/* A file that is older than the newest committed segment and that no row names was dropped by a committed transaction. */
static void sweep(void *arg)
{
	struct sweeping x = {.store = arg};
	int lock;
	err e = folder_lock_bodies(x.store->folder.self, true, &lock);

	if (e == E_BUSY)
		return; /* a backup is being made */
	if (e == OK) {
		e = readers_take(x.store->readers, &x.db);
		if (e == OK) {
			struct query q = db_query(x.db, "SELECT coalesce(max(number), 0) FROM segment");

			e = query_one(&q, &x.newest, NULL);
			if (e == OK)
				e = recover_each(x.store->folder.bodies, sweep_file, &x);
			readers_give(x.store->readers, x.db);
		}
		close(lock);
	}
	if (e != OK)
		LOG(WARN, "store.sweep", LOG_Z("error", err_info()->text));
}

err compact(struct store *s, bool all, struct compaction *done)
{
	struct candidate c = {.store = s, .all = all, .current = writer_segment(s->writer)};
	err e = OK;

	*done = (struct compaction){0};
	if (s->compacting)
		return err_note(E_BUSY, "compaction is running already");
	s->compacting = true;
	while (e == OK && !closing(s)) {
		rt_work(find_candidate, &c);
		e = c.result;
		if (e != OK || c.number == 0 || (c.current != 0 && c.number > c.current))
			break;
		e = compact_segment(s, &c, done);
		c.after = c.number;
	}
	if (!closing(s))
		rt_work(sweep, s);
	s->compacting = false;
	return e;
}

static void compactor(void *arg)
{
	struct store *s = arg;
	struct compaction done;

	while (rt_sleep_until(rt_after(PAUSE)) == OK && !closing(s)) {
		err e = compact(s, false, &done);

		if (e != OK && e != E_BUSY && e != E_CANCELLED)
			LOG(WARN, "store.compact", LOG_Z("error", err_info()->text));
	}
	s->compactor = NULL;
	store_leave(s);
}

err compactor_start(struct store *s)
{
	err e = store_enter(s);

	if (e != OK)
		return e;
	s->compactor = rt_spawn(compactor, s, "store-compact");
	if (s->compactor != NULL)
		return OK;
	store_leave(s);
	return err_note(E_MEMORY, "no memory for the compactor");
}

void compactor_stop(struct store *s)
{
	if (s->compactor != NULL)
		rt_cancel(s->compactor);
}
