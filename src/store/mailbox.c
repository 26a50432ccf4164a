/* SPDX-License-Identifier: ISC */
/* Grants, and mailboxes for the sessions that have them. */
#include "store/expunge.h"
#include "store/state.h"

static err trouble(err e)
{
	if (e == E_IO || e == E_TEMP || e == E_FULL || e == E_END)
		return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
	return e;
}

err store_session_end(struct store *s, const char *from, const struct session_end_request *q)
{
	sessions_end(&s->sessions, str_from(from), q->session);
	return OK;
}

void store_process_gone(struct store *s, const char *from)
{
	sessions_process_gone(&s->sessions, str_from(from));
}

/* --- open --- */

static err find_mailbox(struct store *s, const struct mailbox_open_request *q, struct mailbox_open_reply *r)
{
	struct query query = db_query(s->db, "SELECT id, uidvalidity FROM mailbox WHERE account = ? AND name = ?");

	query_put_num(&query, q->account);
	/* RFC 3501 5.1: INBOX is the one name whose case does not matter. */
	query_put_str(&query, str_equal_nocase(q->mailbox, STR("INBOX")) ? STR("INBOX") : q->mailbox);
	bool found = query_row(&query);
	if (found) {
		r->mailbox = query_num(&query);
		r->uidvalidity = query_num(&query);
	}
	err e = query_end(&query);
	return e == OK && !found ? err_set(E_NOT_FOUND, 0, NULL, "there is no such mailbox") : e;
}

struct listing {
	struct store *store;
	struct mailbox_open_reply *reply;
	struct arena *arena;
	err result;
};

static err list_entries(struct db *db, struct listing *l)
{
	struct query q = db_query(db, "SELECT count(*) FROM item WHERE mailbox = ?");
	uint64_t n = 0;

	query_put_num(&q, l->reply->mailbox);
	err e = query_one(&q, &n, NULL);
	if (n > RECORD_LIST_MAX)
		n = RECORD_LIST_MAX; /* what a reply can hold: the oldest */
	l->reply->entries = arena_array(l->arena, n, sizeof(*l->reply->entries));
	if (e != OK || l->reply->entries == NULL)
		return e != OK ? e : err_note(E_LIMIT, "the mailbox is too large to be listed");
	q = db_query(db, "SELECT uid, size FROM item WHERE mailbox = ? ORDER BY uid LIMIT ?");
	query_put_num(&q, l->reply->mailbox);
	query_put_num(&q, n);
	while (l->reply->entries_n < n && query_row(&q)) {
		struct mailbox_entry *entry = &l->reply->entries[l->reply->entries_n++];

		entry->uid = query_num(&q);
		entry->size = query_num(&q);
	}
	return query_end(&q);
}

/* In a worker thread. Both queries see one state. */
static void list_work(void *arg)
{
	struct listing *l = arg;
	struct db *db;

	l->result = readers_take(l->store->readers, &db);
	if (l->result != OK)
		return;
	l->result = db_begin_read(db);
	if (l->result == OK)
		l->result = list_entries(db, l);
	db_rollback(db);
	readers_give(l->store->readers, db);
}

err store_mailbox_open(struct store *s, const char *from, const struct mailbox_open_request *q,
                       struct mailbox_open_reply *r, struct arena *a)
{
	struct listing l = {.store = s, .reply = r, .arena = a};
	err e = sessions_check_account(&s->sessions, str_from(from), q->session, q->account);

	if (e == OK)
		e = find_mailbox(s, q, r);
	if (e == OK)
		e = sessions_open(&s->sessions, str_from(from), q->session, q->account, r->mailbox, q->exclusive != 0);
	if (e == OK)
		e = store_enter(s);
	if (e != OK)
		return trouble(e);
	rt_work(list_work, &l);
	store_leave(s);
	return trouble(l.result);
}

/* --- read --- */

struct reading {
	struct store *store;
	const struct mailbox_read_request *request;
	struct mailbox_read_reply *reply;
	struct arena *arena;
	/* where it is */
	str prefix;
	uint64_t segment, offset, octets; /* of the stored part */
	err result;
};

static err find_item(struct db *db, struct reading *x)
{
	struct query q = db_query(db, "SELECT i.prefix, m.segment, m.offset + m.length - m.body, m.body FROM item i"
	                              " JOIN message m ON m.id = i.message WHERE i.mailbox = ? AND i.uid = ?");

	query_put_num(&q, x->request->mailbox);
	query_put_num(&q, x->request->uid);
	bool found = query_row(&q);
	if (found) {
		x->prefix = arena_str(x->arena, query_str(&q));
		x->segment = query_num(&q);
		x->offset = query_num(&q);
		x->octets = query_num(&q);
	}
	err e = query_end(&q);
	return e == OK && !found ? err_set(E_NOT_FOUND, 0, NULL, "the message is no longer there") : e;
}

/* Prefix and stored bytes are one sequence. */
static err read_octets(struct reading *x)
{
	uint64_t size = x->prefix.n + x->octets, from = x->request->offset, n = x->request->length;

	if (from > size)
		from = size;
	if (n > size - from)
		n = size - from;
	char *p = arena_alloc(x->arena, n);
	if (p == NULL)
		return err_note(E_LIMIT, "no memory to read %llu octets", (unsigned long long)n);
	str head = str_take(str_drop(x->prefix, from), n);
	if (head.n > 0)
		memcpy(p, head.p, head.n);
	x->reply->bytes = str_make(p, n);
	x->reply->size = size;
	if (head.n == n)
		return OK;
	uint64_t at = x->offset + (from > x->prefix.n ? from - x->prefix.n : 0);
	return readers_read(x->store->readers, x->segment, at, p + head.n, n - head.n);
}

/* In a worker thread. When compaction takes the segment away between the two steps, the row says where the message is now. */
static void read_work(void *arg)
{
	struct reading *x = arg;
	struct db *db;

	x->result = readers_take(x->store->readers, &db);
	if (x->result != OK)
		return;
	for (int i = 0; i < 3; i++) {
		x->result = find_item(db, x);
		if (x->result != OK)
			break;
		x->result = read_octets(x);
		if (x->result != E_NOT_FOUND)
			break;
		x->result = err_note(E_IO, "the message's segment is missing");
	}
	readers_give(x->store->readers, db);
}

err store_mailbox_read(struct store *s, const char *from, const struct mailbox_read_request *q,
                       struct mailbox_read_reply *r, struct arena *a)
{
	struct reading x = {.store = s, .request = q, .reply = r, .arena = a};
	err e = sessions_check_mailbox(&s->sessions, str_from(from), q->session, q->mailbox);

	if (e == OK && q->length > BODY_INLINE_MAX)
		e = err_note(E_LIMIT, "more octets were asked for than a reply holds");
	if (e == OK)
		e = store_enter(s);
	if (e != OK)
		return e;
	rt_work(read_work, &x);
	store_leave(s);
	return trouble(x.result);
}

/* --- expunge --- */

err store_mailbox_expunge(struct store *s, const char *from, const struct mailbox_expunge_request *q)
{
	err e = sessions_check_mailbox(&s->sessions, str_from(from), q->session, q->mailbox);

	if (e == OK)
		e = store_enter(s);
	if (e != OK)
		return e;
	e = expunge(s, q->mailbox, q->uids, q->uids_n);
	store_leave(s);
	return e;
}
