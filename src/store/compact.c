/* SPDX-License-Identifier: ISC */
#include "store/compact.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "store/envelope.h"
#include "store/present.h"
#include "store/recover.h"

#define PAUSE       (60 * NSEC_PER_SEC)
#define STEP_OCTETS (4ull << 20)
enum { STEP_RECORDS = 500, STEP_RECIPIENTS = 1000, PASSES_MAX = 3 };

/* --- one step: some records of a segment, read by a worker, moved by the writer --- */

struct copy {
	struct envelope envelope;
	uint64_t offset, length; /* of the record */
	str body;
	struct location to;
	bool ready; /* it is to be made */
};

struct step {
	struct store *store;
	uint64_t segment;
	struct segment_scan *scan;
	struct arena arena;
	struct copy copies[STEP_RECORDS];
	size_t copies_n, recipients;
	uint64_t dead[STEP_RECORDS]; /* messages */
	size_t dead_n;
	struct carried {
		enum segment_kind kind;
		str packed;
	} carried[STEP_RECORDS];
	size_t carried_n;
	bool carry; /* tombstones and moves too */
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
	struct segment_record kept = {.kind = record->kind, .envelope = arena_str(&x->arena, record->envelope)};
	struct copy *c = &x->copies[x->copies_n];
	struct message_row row;
	err e = envelope_unpack(&kept, &c->envelope, &x->arena);

	if (e == OK)
		e = read_row(db, c->envelope.id, &row);
	if (e != OK || !row.found || row.segment != x->segment || row.offset != x->scan->at)
		return e; /* not in use: uncommitted, or moved before */
	if (row.items == 0) {
		x->dead[x->dead_n++] = c->envelope.id;
		return OK;
	}
	c->offset = row.offset;
	c->length = record->length;
	c->body = arena_str(&x->arena, record->body);
	x->recipients += c->envelope.rcpts_n;
	x->copies_n++;
	return OK;
}

/* A tombstone is needed as long as the record of its message is in another segment; a move if that is an older one, for a later copy knows of it. */
static err is_needed(const struct step *x, struct db *db, const struct segment_record *record, uint64_t message,
                     bool *needed)
{
	struct message_row row;
	err e = read_row(db, message, &row);

	*needed = row.found && row.segment != 0 &&
	          (record->kind == SEGMENT_MOVES ? row.segment < x->segment : row.segment != x->segment);
	return e;
}

static void carry(struct step *x, enum segment_kind kind, str packed)
{
	x->carried[x->carried_n++] = (struct carried){kind, packed};
}

static err look_at_tombstones(struct step *x, struct db *db, const struct segment_record *record)
{
	struct tombstones t;
	size_t kept = 0;
	err e = tombstones_unpack(record->envelope, &t, &x->arena);

	for (size_t i = 0; e == OK && i < t.items_n; i++) {
		bool needed;

		e = is_needed(x, db, record, t.items[i].message, &needed);
		if (needed)
			t.items[kept++] = t.items[i];
	}
	t.items_n = kept;
	if (e == OK && kept > 0)
		carry(x, SEGMENT_TOMBSTONES, pack(&record_tombstones, &t, &x->arena));
	return e;
}

static err look_at_moves(struct step *x, struct db *db, const struct segment_record *record)
{
	struct moves m;
	size_t kept = 0;
	err e = moves_unpack(record->envelope, &m, &x->arena);

	for (size_t i = 0; e == OK && i < m.items_n; i++) {
		bool needed;

		e = is_needed(x, db, record, m.items[i].message, &needed);
		if (needed)
			m.items[kept++] = m.items[i];
	}
	m.items_n = kept;
	if (e == OK && kept > 0)
		carry(x, SEGMENT_MOVES, pack(&record_moves, &m, &x->arena));
	return e;
}

static err look_at_record(struct step *x, struct db *db, const struct segment_record *record)
{
	if (segment_is_message(record))
		return look_at_message(x, db, record);
	if (!x->carry)
		return OK;
	return record->kind == SEGMENT_MOVES ? look_at_moves(x, db, record) : look_at_tombstones(x, db, record);
}

static bool is_full(const struct step *x, size_t records)
{
	return records >= STEP_RECORDS || x->recipients >= STEP_RECIPIENTS || x->arena.used >= STEP_OCTETS;
}

static err look_at_records(struct step *x, struct db *db)
{
	struct segment_record record;

	for (size_t i = 0; !is_full(x, i); i++) {
		err e = segment_scan_next(x->scan, &record);

		x->end = e == E_END;
		if (e == OK)
			e = look_at_record(x, db, &record);
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

/* What the copy says is what is so in the transaction that makes it the message's record: the writer does nothing else in it. One that has become dead, or was
 * moved, is left to the next pass. */
static err prepare_copy(struct writer *w, struct step *x, struct copy *c)
{
	struct message_row row;
	err e = read_row(writer_db(w), c->envelope.id, &row);

	c->ready = e == OK && row.items > 0 && row.segment == x->segment && row.offset == c->offset;
	if (!c->ready)
		return e;
	e = envelope_bring_up(writer_db(w), &c->envelope, &x->arena);
	str envelope = pack(&record_envelope, &c->envelope, &x->arena);
	if (e == OK && x->arena.full)
		e = err_note(E_MEMORY, "no memory to compact");
	return e == OK ? writer_append(w, SEGMENT_MESSAGE, envelope, &c->body, 1, &c->to) : e;
}

static err step_prepare(struct writer *w, struct job *job)
{
	struct step *x = job->data;
	struct location ignored;
	err e = OK;

	for (size_t i = 0; i < x->copies_n && e == OK; i++)
		e = prepare_copy(w, x, &x->copies[i]);
	for (size_t i = 0; i < x->carried_n && e == OK; i++)
		e = writer_append(w, x->carried[i].kind, x->carried[i].packed, NULL, 0, &ignored);
	return e;
}

static err copy_row(struct writer *w, uint64_t segment, const struct copy *c)
{
	struct query q = db_query(writer_db(w), "UPDATE message SET segment = ?, offset = ?, length = ? WHERE id = ?");

	query_put_num(&q, c->to.segment);
	query_put_num(&q, c->to.offset);
	query_put_num(&q, c->to.length);
	query_put_num(&q, c->envelope.id);
	err e = query_run(&q);
	if (e != OK)
		return e;
	writer_live(w, c->to.length);
	return writer_dead(w, segment, c->length);
}

static err forget_row(struct writer *w, uint64_t segment, uint64_t message)
{
	struct query q =
		db_query(writer_db(w), "UPDATE message SET segment = 0 WHERE id = ? AND segment = ? AND items = 0");

	query_put_num(&q, message);
	query_put_num(&q, segment);
	return query_run(&q);
}

static err step_apply(struct writer *w, struct job *job)
{
	struct step *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->copies_n && e == OK; i++)
		if (x->copies[i].ready)
			e = copy_row(w, x->segment, &x->copies[i]);
	for (size_t i = 0; i < x->dead_n && e == OK; i++)
		e = forget_row(w, x->segment, x->dead[i]);
	return e;
}

static err step(struct step *x)
{
	static const struct job_kind kind = {.prepare = step_prepare, .apply = step_apply, .apart = true};
	struct job job = {.kind = &kind, .data = x};

	x->copies_n = x->dead_n = x->carried_n = x->recipients = 0;
	rt_work(step_work, x);
	if (x->result != OK || x->copies_n + x->dead_n + x->carried_n == 0)
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
		if (e != OK || c.number == 0 || c.number > c.current)
			break; /* behind it is what this compaction wrote */
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
