/* SPDX-License-Identifier: ISC */
#include "store/move.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "store/envelope.h"
#include "store/ledger.h"
#include "store/lesson.h"
#include "store/mailbox_name.h"

enum { PACKED_MAX = 1 << 20, DETAIL_MAX = 1000 };

/* One that is there, as the writer finds it. */
struct placed {
	uint64_t message, from_uid, uid, size, flags;
	uint64_t modseq, gone_modseq; /* in the new mailbox, in the old one */
	const struct lesson *lesson;  /* NULL: nothing is learned from it */
};

struct moving {
	struct store *store;
	struct move *move;
	struct arena *arena;
	uint64_t *uids; /* ascending, each once */
	size_t n;
	struct lesson *lessons; /* by their messages */
	size_t lessons_n;
	uint64_t now;
	str address;
	str detail[2]; /* of what is learned from, and of what is not */
	err result;    /* of a worker */
	/* the writer's */
	struct placed *placed;
	size_t placed_n;
	uint64_t uidvalidity;
};

/* --- on the loop: what is to be moved --- */

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static err sort_uids(struct moving *x)
{
	const struct move *m = x->move;

	x->uids = arena_array(x->arena, m->n + 1, sizeof(*x->uids));
	x->placed = arena_array(x->arena, m->n + 1, sizeof(*x->placed));
	x->lessons = arena_array(x->arena, m->n + 1, sizeof(*x->lessons));
	if (x->uids == NULL || x->placed == NULL || x->lessons == NULL)
		return err_note(E_MEMORY, "no memory to move messages");
	if (m->n > 0)
		memcpy(x->uids, m->uids, m->n * sizeof(*x->uids));
	qsort(x->uids, m->n, sizeof(*x->uids), by_value);
	for (size_t i = 0; i < m->n; i++)
		if (x->n == 0 || x->uids[x->n - 1] != x->uids[i])
			x->uids[x->n++] = x->uids[i];
	return OK;
}

static err read_name(struct moving *x, uint64_t mailbox, str *name)
{
	struct query q = db_query(x->store->db, "SELECT m.name, a.local || '@' || a.domain FROM mailbox m"
	                                        " JOIN account a ON a.id = m.account WHERE m.id = ? AND a.id = ?");

	query_put_num(&q, mailbox);
	query_put_num(&q, x->move->account);
	bool found = query_row(&q);
	if (found) {
		*name = arena_str(x->arena, query_str(&q));
		x->address = arena_str(x->arena, query_str(&q));
	}
	err e = query_end(&q);
	return e == OK && !found ? err_note(E_NOT_FOUND, "there is no such mailbox") : e;
}

static enum move_lesson lesson_of(str from, str to)
{
	const str junk = MAILBOX_JUNK, trash = MAILBOX_TRASH;

	if (str_equal(from, to))
		return MOVE_TEACHES_NOTHING;
	if (str_equal(to, junk))
		return str_equal(from, trash) ? MOVE_TEACHES_NOTHING : MOVE_TEACHES_SPAM;
	return str_equal(from, junk) && !str_equal(to, trash) ? MOVE_TEACHES_WANTED : MOVE_TEACHES_NOTHING;
}

static str detail_of(struct moving *x, str from, enum move_lesson lesson)
{
	static const char *const learned[] = {"", "; learned as spam", "; learned as wanted"};
	BUF(text, DETAIL_MAX);

	buf_printf(&text, "moved from " STR_FMT " by " STR_FMT " at ", STR_ARG(str_take(from, DETAIL_MAX / 3)),
	           STR_ARG(str_take(x->move->by, DETAIL_MAX / 3)));
	date_rfc3339(&text, (int64_t)x->now);
	buf_puts(&text, learned[lesson]);
	return arena_str(x->arena, buf_str(&text));
}

static err look_at_mailboxes(struct moving *x)
{
	const struct config_spam *c = &x->store->config->spam;
	str from, to;
	err e = read_name(x, x->move->from, &from);

	if (e == OK)
		e = read_name(x, x->move->to, &to);
	if (e != OK)
		return e;
	x->move->lesson = c->learn_moves == CONFIG_YES ? lesson_of(from, to) : MOVE_TEACHES_NOTHING;
	x->detail[0] = detail_of(x, from, x->move->lesson);
	x->detail[1] = detail_of(x, from, MOVE_TEACHES_NOTHING);
	return OK;
}

/* --- what it teaches: contents are read before the writer is asked --- */

static err find_item(struct db *db, uint64_t mailbox, uint64_t uid, struct placed *out)
{
	struct query q = db_query(db, "SELECT message, size, flags FROM item WHERE mailbox = ? AND uid = ?");

	*out = (struct placed){.from_uid = uid};
	query_put_num(&q, mailbox);
	query_put_num(&q, uid);
	if (query_row(&q)) {
		out->message = query_num(&q);
		out->size = query_num(&q);
		out->flags = query_num(&q);
	}
	return query_end(&q);
}

static err find_lessons(struct moving *x, struct db *db)
{
	const struct move *m = x->move;
	err e = OK;

	for (size_t i = 0; i < x->n && e == OK; i++) {
		struct placed item;

		e = find_item(db, m->from, x->uids[i], &item);
		if (e == OK && item.message != 0)
			x->lessons[x->lessons_n++] = (struct lesson){
				.account = m->account, .message = item.message, .spam = m->lesson == MOVE_TEACHES_SPAM};
	}
	return e;
}

static void find_in_thread(void *arg)
{
	struct moving *x = arg;
	struct db *db;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	x->result = find_lessons(x, db);
	readers_give(x->store->readers, db);
}

static err read_lessons(struct moving *x)
{
	if (x->move->lesson == MOVE_TEACHES_NOTHING)
		return OK;
	rt_work(find_in_thread, x);
	return x->result == OK ? lessons_read(x->store, x->lessons, &x->lessons_n, x->arena) : x->result;
}

/* Both lists are in the order of the old uids. */
static const struct lesson *next_lesson(const struct moving *x, size_t *at, uint64_t message)
{
	for (size_t i = *at; i < x->lessons_n; i++)
		if (x->lessons[i].message == message) {
			*at = i + 1;
			return &x->lessons[i];
		}
	return NULL;
}

/* --- in the writer --- */

static err place_all(struct writer *w, struct moving *x)
{
	size_t lesson = 0;
	err e = OK;

	x->placed_n = 0;
	for (size_t i = 0; i < x->n && e == OK; i++) {
		struct placed *p = &x->placed[x->placed_n];
		bool first = false;

		e = find_item(writer_db(w), x->move->from, x->uids[i], p);
		if (e == OK && p->message != 0)
			e = writer_claim(w, x->move->from, x->uids[i], &first);
		if (e != OK || !first)
			continue;
		p->lesson = next_lesson(x, &lesson, p->message);
		x->placed_n++;
	}
	return e;
}

/* What counters_add and counters_modseq will give, in take_numbers. */
static void foresee_numbers(struct moving *x, const struct mailbox_state *from, const struct mailbox_state *to)
{
	const uint64_t step = from == to ? 2 : 1;

	for (size_t i = 0; i < x->placed_n; i++) {
		struct placed *p = &x->placed[i];

		p->uid = to->now.uidnext + i;
		p->modseq = to->now.modseq + 1 + i * step;
		p->gone_modseq = from->now.modseq + step + i * step;
	}
}

static void take_numbers(struct writer *w, const struct moving *x, struct mailbox_state *from, struct mailbox_state *to)
{
	struct counters *c = writer_counters(w);

	for (size_t i = 0; i < x->placed_n; i++) {
		counters_add(c, to, x->placed[i].size);
		counters_remove(c, from, x->placed[i].size);
		(void)counters_modseq(c, from);
	}
}

/* For a rebuild. */
static err append_record(struct writer *w, const struct moving *x, const struct mailbox_state *to)
{
	BUF(packed, PACKED_MAX);
	struct record_fds none = {0};
	struct location at;
	struct moves record = {.from = x->move->from,
	                       .address = x->address,
	                       .mailbox = to->id,
	                       .name = to->name,
	                       .uidvalidity = to->uidvalidity,
	                       .items = arena_array(x->arena, x->placed_n, sizeof(*record.items)),
	                       .items_n = x->placed_n};

	if (record.items == NULL)
		return err_note(E_MEMORY, "no memory to move messages");
	for (size_t i = 0; i < x->placed_n; i++) {
		const struct placed *p = &x->placed[i];

		record.items[i] = (struct moved){p->message, p->from_uid, p->uid, p->modseq, p->flags};
	}
	record_pack(&record_moves, &record, &packed, &none);
	str envelope = arena_str(x->arena, buf_str(&packed));
	if (packed.full || x->arena->full)
		return err_note(E_MEMORY, "no memory to move messages");
	return writer_append(w, SEGMENT_MOVES, envelope, NULL, 0, &at);
}

static err find_mailboxes(struct writer *w, const struct move *m, struct mailbox_state **from,
                          struct mailbox_state **to)
{
	err e = counters_mailbox(writer_counters(w), writer_db(w), m->from, from);

	if (e == OK)
		e = counters_mailbox(writer_counters(w), writer_db(w), m->to, to);
	if (e == OK && ((*from)->account->id != m->account || (*to)->account->id != m->account))
		return err_note(E_NOT_FOUND, "there is no such mailbox");
	return e;
}

/* Numbers are taken when nothing can fail any more: they are everybody's in the batch. */
static err move_prepare(struct writer *w, struct job *job)
{
	struct moving *x = job->data;
	struct mailbox_state *from, *to;
	err e = find_mailboxes(w, x->move, &from, &to);

	if (e == OK)
		e = place_all(w, x);
	if (e != OK || x->placed_n == 0)
		return e;
	x->uidvalidity = to->uidvalidity;
	foresee_numbers(x, from, to);
	e = append_record(w, x, to);
	if (e == OK)
		take_numbers(w, x, from, to);
	return e;
}

static err move_item(struct db *db, const struct move *m, const struct placed *p)
{
	struct query q = db_query(db, "UPDATE item SET mailbox = ?, uid = ?, modseq = ? WHERE mailbox = ? AND uid = ?");

	query_put_num(&q, m->to);
	query_put_num(&q, p->uid);
	query_put_num(&q, p->modseq);
	query_put_num(&q, m->from);
	query_put_num(&q, p->from_uid);
	err e = query_run(&q);
	return e == OK && db_changes(db) != 1 ? err_note(E_NOT_FOUND, "a message was taken away meanwhile") : e;
}

static err apply_one(struct db *db, const struct moving *x, const struct placed *p)
{
	const struct move *m = x->move;
	err e = move_item(db, m, p);

	if (e == OK)
		e = change_add(db, m->to, p->modseq, p->uid, CHANGE_ADDED);
	if (e == OK)
		e = change_add(db, m->from, p->gone_modseq, p->from_uid, CHANGE_EXPUNGED);
	if (e == OK)
		e = ledger_move(db, p->message, (struct item_place){m->from, p->from_uid},
		                (struct item_place){m->to, p->uid}, x->detail[p->lesson == NULL]);
	return e == OK && p->lesson != NULL ? lesson_put_both(db, p->lesson, x->now) : e;
}

static err move_apply(struct writer *w, struct job *job)
{
	const struct moving *x = job->data;
	err e = OK;

	for (size_t i = 0; i < x->placed_n && e == OK; i++)
		e = apply_one(writer_db(w), x, &x->placed[i]);
	return e;
}

/* --- all of it --- */

static err answer(struct moving *x)
{
	struct move *m = x->move;
	size_t learned = 0;

	m->moved = arena_array(x->arena, x->placed_n + 1, sizeof(*m->moved));
	m->moved_n = m->moved == NULL ? 0 : x->placed_n;
	m->uidvalidity = x->uidvalidity;
	for (size_t i = 0; i < m->moved_n; i++) {
		const struct placed *p = &x->placed[i];

		m->moved[i] = (struct moved_message){p->from_uid, p->uid, p->message, p->lesson != NULL};
		learned += p->lesson != NULL;
	}
	if (learned > 0)
		lessons_wake(x->store);
	LOG(INFO, "store.move", LOG_NUM("account", m->account), LOG_NUM("from", m->from), LOG_NUM("to", m->to),
	    LOG_NUM("messages", x->placed_n), LOG_NUM("learned", learned));
	return m->moved == NULL ? err_note(E_MEMORY, "no memory to tell what was moved") : OK;
}

err store_move(struct store *s, struct move *m, struct arena *a)
{
	static const struct job_kind kind = {.prepare = move_prepare, .apply = move_apply};
	struct moving x = {.store = s, .move = m, .arena = a, .now = (uint64_t)rt_wall()};
	struct job job = {.kind = &kind, .data = &x};

	m->moved_n = 0;
	m->lesson = MOVE_TEACHES_NOTHING;
	if (m->n > MOVE_MAX)
		return err_note(E_LIMIT, "at most %d messages are moved at once", (int)MOVE_MAX);
	err e = sort_uids(&x);
	if (e == OK)
		e = look_at_mailboxes(&x);
	if (e == OK)
		e = read_lessons(&x);
	if (e == OK)
		e = writer_do(s->writer, &job);
	return e == OK ? answer(&x) : e;
}
