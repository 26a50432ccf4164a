/* SPDX-License-Identifier: ISC */
#include "store/expunge.h"

#include "store/envelope.h"
#include "store/schema.h"

enum { STEP = 1000 };

struct expunging {
	uint64_t mailbox;
	const struct uid *uids;
	size_t n;
	struct arena arena;
};

/* Which message is behind a uid; *message 0: none. */
static err find_message(struct db *db, uint64_t mailbox, uint64_t uid, uint64_t *message)
{
	struct query q = db_query(db, "SELECT message FROM item WHERE mailbox = ? AND uid = ?");

	*message = 0;
	query_put_num(&q, mailbox);
	query_put_num(&q, uid);
	return query_one(&q, message, NULL);
}

static err append_tombstones(struct writer *w, struct expunging *x, struct tombstones *t)
{
	BUF(packed, 1 << 20);
	struct record_fds none = {0};
	struct location at;

	if (t->items_n == 0)
		return OK;
	record_pack(&record_tombstones, t, &packed, &none);
	str envelope = arena_str(&x->arena, buf_str(&packed));
	if (packed.full || x->arena.full)
		return err_note(E_MEMORY, "no memory to expunge");
	return writer_append(w, SEGMENT_TOMBSTONES, envelope, NULL, 0, &at);
}

/* What another job of the batch removes or moves first will not be there: a tombstone for it would be a lie. */
static err expunge_prepare(struct writer *w, struct job *job)
{
	struct expunging *x = job->data;
	struct tombstones t = {.items = arena_array(&x->arena, x->n, sizeof(*t.items))};
	struct mailbox_state *m;
	err e = counters_mailbox(writer_counters(w), writer_db(w), x->mailbox, &m);

	if (t.items == NULL)
		return err_note(E_MEMORY, "no memory to expunge");
	for (size_t i = 0; i < x->n && e == OK; i++) {
		uint64_t message, uid = x->uids[i].uid;
		bool first = true;

		e = find_message(writer_db(w), x->mailbox, uid, &message);
		if (e == OK && message != 0)
			e = writer_claim(w, x->mailbox, uid, &first);
		if (e == OK && message != 0 && first)
			t.items[t.items_n++] = (struct tombstone){message, x->mailbox, uid};
	}
	return e == OK ? append_tombstones(w, x, &t) : e;
}

static err expunge_one(struct writer *w, struct mailbox_state *m, uint64_t uid)
{
	struct db *db = writer_db(w);
	struct query q = db_query(db, "DELETE FROM item WHERE mailbox = ? AND uid = ? RETURNING message, size");
	uint64_t message = 0, size = 0;

	query_put_num(&q, m->id);
	query_put_num(&q, uid);
	bool found = query_row(&q);
	if (found) {
		message = query_num(&q);
		size = query_num(&q);
	}
	err e = query_end(&q);
	if (e != OK || !found)
		return e;
	counters_remove(writer_counters(w), m, size);
	e = change_add(db, m->id, counters_modseq(writer_counters(w), m), uid, CHANGE_EXPUNGED);
	return e == OK ? message_release(w, message, 1) : e;
}

static err expunge_apply(struct writer *w, struct job *job)
{
	struct expunging *x = job->data;
	struct mailbox_state *m;
	err e = counters_mailbox(writer_counters(w), writer_db(w), x->mailbox, &m);

	for (size_t i = 0; i < x->n && e == OK; i++)
		e = expunge_one(w, m, x->uids[i].uid);
	return e;
}

err expunge(struct store *s, uint64_t mailbox, const struct uid *uids, size_t n)
{
	static const struct job_kind kind = {.prepare = expunge_prepare, .apply = expunge_apply};
	err e = OK;

	for (size_t done = 0; done < n && e == OK; done += STEP) {
		struct expunging x = {.mailbox = mailbox,
		                      .uids = uids + done,
		                      .n = n - done < STEP ? n - done : STEP,
		                      .arena = ARENA_INIT(4 << 20)};
		struct job job = {.kind = &kind, .data = &x};

		e = writer_do(s->writer, &job);
		arena_free(&x.arena);
	}
	return e;
}
