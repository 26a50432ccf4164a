/* SPDX-License-Identifier: ISC */
/* pombo store verify: every record of every message, the ledger, the counters. Rows are faults; none: all is well.
 *
 * A page looks at a bounded part; its mark says with what the next goes on. Pages see different states, but each of them is whole. */
#include <unistd.h>

#include "store/admin.h"
#include "store/compact.h"
#include "store/envelope.h"
#include "store/folder.h"
#include "store/queue.h"

#define PAGE_RECORDS (64ull << 20) /* octets of records looked at in a page */
enum { PAGE_MESSAGES = 5000, PAGE_MAILBOXES = 200 };

enum phase { MESSAGES, MAILBOXES, SEGMENTS };

struct verification {
	struct admin *admin;
	struct db *db;
	struct segment segment; /* the one that was read last */
	struct buf memory;
	uint64_t octets;
};

static void report(struct verification *v, const char *what, uint64_t id, const char *fault)
{
	struct row *row = admin_row(v->admin);

	admin_str(v->admin, row, "what", str_from(what));
	if (str_equal(str_from(what), STR("message")))
		admin_id(v->admin, row, "id", id);
	else
		admin_num(v->admin, row, "id", id);
	admin_str(v->admin, row, "fault", str_from(fault));
}

static void mark(struct admin *x, enum phase phase, uint64_t id)
{
	x->reply->more = arena_printf(x->arena, "%d.%llu", (int)phase, (unsigned long long)id);
}

/* --- messages --- */

struct message_row {
	uint64_t id, segment, offset, length, body, items, received;
};

static err open_segment(struct verification *v, uint64_t number)
{
	if (v->segment.fd >= 0 && v->segment.number == number)
		return OK;
	segment_close(&v->segment);
	err e = segment_open(v->admin->store->folder.bodies, number, SEGMENT_READ, &v->segment);
	if (e != OK)
		v->segment = SEGMENT_NONE;
	return e;
}

static const char *compare_envelope(const struct segment_record *r, const struct message_row *m)
{
	struct envelope envelope;
	ARENA(a, 64 << 20);

	if (!segment_is_message(r) || r->length != m->length || r->body.n != m->body)
		return "the record has another length";
	if (envelope_unpack(r, &envelope, &a) != OK)
		return "the record's envelope is malformed";
	return envelope.id == m->id && envelope.received == m->received ? NULL : "the record is another message's";
}

/* NULL: as it should be. */
static const char *check_record(struct verification *v, const struct message_row *m)
{
	struct segment_record r;
	err e = open_segment(v, m->segment);

	if (e != OK)
		return e == E_NOT_FOUND ? "its segment is missing" : "its segment cannot be read";
	v->octets += m->length;
	e = segment_read(&v->segment, m->offset, &v->memory, &r);
	if (e != OK)
		return e == E_SYNTAX ? "the record is damaged"
		       : e == E_END  ? "its segment is too short"
		                     : "the record cannot be read";
	return compare_envelope(&r, m);
}

static err count(struct db *db, const char *literal, uint64_t id, uint64_t *n)
{
	struct query q = db_query(db, literal);

	query_put_num(&q, id);
	return query_one(&q, n, NULL);
}

/* `queued`: of the rows those that have a debit and no credit. */
static err count_queued(struct db *db, uint64_t id, uint64_t *rows, uint64_t *queued)
{
	err e = count(db, "SELECT count(*) FROM queue WHERE message = ?", id, rows);

	*queued = 0;
	if (e != OK || *rows == 0)
		return e;
	return count(
		db,
		"SELECT count(*) FROM queue q JOIN ledger d ON d.message = q.message AND d.rcpt = q.rcpt AND d.side = 0"
		" WHERE q.message = ? AND NOT EXISTS"
		" (SELECT 1 FROM ledger c WHERE c.message = q.message AND c.rcpt = q.rcpt AND c.side = 1)",
		id, queued);
}

static err check_ledger(struct verification *v, const struct message_row *m)
{
	uint64_t debits = 0, credits = 0, pairs = 0, items = 0, rows = 0, queued = 0;
	err e = count(v->db, "SELECT count(*) FROM ledger WHERE message = ? AND side = 0", m->id, &debits);

	if (e == OK)
		e = count(v->db, "SELECT count(*) FROM ledger WHERE message = ? AND side = 1", m->id, &credits);
	if (e == OK)
		e = count(v->db,
		          "SELECT count(*) FROM ledger d JOIN ledger c ON c.message = d.message AND c.rcpt = d.rcpt "
		          "AND c.side = 1"
		          " WHERE d.message = ? AND d.side = 0",
		          m->id, &pairs);
	if (e == OK)
		e = count(v->db,
		          "SELECT count(*) FROM (SELECT DISTINCT i.mailbox, i.uid FROM ledger l"
		          " JOIN item i ON i.mailbox = l.mailbox AND i.uid = l.uid WHERE l.message = ? AND l.side = 1) "
		          "AS shown",
		          m->id, &items);
	if (e == OK)
		e = count_queued(v->db, m->id, &rows, &queued);
	if (e != OK)
		return e;
	if (debits == 0 || debits != pairs + queued || credits != pairs)
		report(v, "message", m->id, "the ledger's debits and credits do not match");
	if (rows != queued)
		report(v, "message", m->id, "it is queued for recipients who have a credit, or no debit");
	if (items + rows != m->items)
		report(v, "message", m->id, "it is counted in more or fewer mailboxes and queues than show it");
	return OK;
}

static err check_message(struct verification *v, const struct message_row *m)
{
	const char *fault = m->segment == 0 ? NULL : check_record(v, m);

	if (m->segment == 0 && m->items > 0)
		fault = "it is shown but has no record";
	if (fault != NULL)
		report(v, "message", m->id, fault);
	return check_ledger(v, m);
}

static struct message_row read_message(struct query *q)
{
	struct message_row m = {.id = query_num(q)};

	m.segment = query_num(q);
	m.offset = query_num(q);
	m.length = query_num(q);
	m.body = query_num(q);
	m.items = query_num(q);
	m.received = query_num(q);
	return m;
}

static bool page_ended(const struct verification *v, size_t n, size_t max)
{
	return admin_full(v->admin) || n == max || v->octets > PAGE_RECORDS;
}

static err check_messages(struct verification *v, uint64_t after)
{
	struct query q = db_query(
		v->db,
		"SELECT id, segment, offset, length, body, items, received FROM message WHERE id > ? ORDER BY id");
	bool ended = false;
	err e = OK;

	mark(v->admin, MAILBOXES, 0);
	query_put_num(&q, after);
	for (size_t n = 1; e == OK && !ended && query_row(&q); n++) {
		struct message_row m = read_message(&q);

		e = check_message(v, &m);
		ended = page_ended(v, n, PAGE_MESSAGES);
		if (ended)
			mark(v->admin, MESSAGES, m.id);
	}
	err end = query_end(&q);
	return e == OK ? end : e;
}

/* --- mailboxes --- */

struct mailbox_row {
	uint64_t id, uidnext, messages, octets;
};

static err check_mailbox(struct verification *v, const struct mailbox_row *m)
{
	struct query q = db_query(
		v->db, "SELECT count(*), coalesce(sum(i.size), 0), coalesce(max(i.uid), 0), count(m.id)"
		       " FROM item i LEFT JOIN message m ON m.id = i.message AND m.segment <> 0 WHERE i.mailbox = ?");

	query_put_num(&q, m->id);
	if (query_row(&q)) {
		uint64_t messages = query_num(&q), octets = query_num(&q), last = query_num(&q), whole = query_num(&q);

		if (messages != m->messages || octets != m->octets)
			report(v, "mailbox", m->id, "its counters do not match what is in it");
		if (last >= m->uidnext)
			report(v, "mailbox", m->id, "a uid is not below uidnext");
		if (whole != messages)
			report(v, "mailbox", m->id, "it shows messages that are not there");
	}
	return query_end(&q);
}

static err check_mailboxes(struct verification *v, uint64_t after)
{
	struct query q = db_query(v->db, "SELECT id, uidnext, messages, octets FROM mailbox WHERE id > ? ORDER BY id");
	bool ended = false;
	err e = OK;

	mark(v->admin, SEGMENTS, 0);
	query_put_num(&q, after);
	for (size_t n = 1; e == OK && !ended && query_row(&q); n++) {
		struct mailbox_row m = {.id = query_num(&q)};

		m.uidnext = query_num(&q);
		m.messages = query_num(&q);
		m.octets = query_num(&q);
		e = check_mailbox(v, &m);
		ended = page_ended(v, n, PAGE_MAILBOXES);
		if (ended)
			mark(v->admin, MAILBOXES, m.id);
	}
	err end = query_end(&q);
	return e == OK ? end : e;
}

/* --- segments --- */

static void check_file(struct verification *v, uint64_t number, uint64_t size)
{
	uint64_t there = 0;
	err e = open_segment(v, number);

	if (e == OK)
		e = segment_size(&v->segment, &there);
	if (e != OK)
		report(v, "segment", number, err_info()->text);
	else if (there < size)
		report(v, "segment", number, "its file is shorter than what was committed");
}

static err check_segments(struct verification *v)
{
	struct query q = db_query(
		v->db, "SELECT s.number, s.size, s.live, coalesce(sum(m.length), 0) FROM segment s"
		       " LEFT JOIN (SELECT segment, length FROM message WHERE items > 0) AS m ON m.segment = s.number"
		       " GROUP BY s.number, s.size, s.live ORDER BY s.number");

	while (query_row(&q) && !admin_full(v->admin)) {
		uint64_t number = query_num(&q), size = query_num(&q), live = query_num(&q), sum = query_num(&q);

		check_file(v, number, size);
		if (live != sum)
			report(v, "segment", number, "its count of live octets does not match the messages in it");
	}
	return query_end(&q);
}

/* Who is held, or in quarantine, is not due. */
static err check_held(struct verification *v)
{
	struct query q = db_query(v->db, "SELECT DISTINCT message FROM queue WHERE (state IN (1, 3)) <> (due >= ?)");

	query_put_num(&q, QUEUE_DUE_HELD);
	while (query_row(&q) && !admin_full(v->admin))
		report(v, "message", query_num(&q), "it is held and due, or neither");
	return query_end(&q);
}

/* Rows of messages are looked at with these; here those that have none. */
static err check_queue(struct verification *v)
{
	struct query q =
		db_query(v->db, "SELECT DISTINCT q.message FROM queue q LEFT JOIN message m ON m.id = q.message"
	                        " WHERE m.id IS NULL");

	while (query_row(&q) && !admin_full(v->admin))
		report(v, "message", query_num(&q), "it is queued, but is not there");
	return query_end(&q);
}

/* --- a page --- */

static err verify_part(struct verification *v)
{
	uint64_t phase = MESSAGES, after = 0;
	str p, id;

	str_cut(v->admin->request->resume, '.', &p, &id);
	if (!str_to_u64(p, SEGMENTS, &phase) || !str_to_u64(id, INT64_MAX, &after))
		phase = after = 0;
	switch ((enum phase)phase) {
	case MESSAGES:
		return check_messages(v, after);
	case MAILBOXES:
		return check_mailboxes(v, after);
	case SEGMENTS:
		break;
	}
	err e = check_segments(v);
	if (e == OK)
		e = check_held(v);
	return e == OK ? check_queue(v) : e;
}

/* Under the lock that keeps compaction from removing segments which this view still names. */
static err verify_read(struct admin *x, struct db *db)
{
	struct verification v = {.admin = x, .db = db, .segment = SEGMENT_NONE, .memory = BUF_INIT(SEGMENT_RECORD_MAX)};
	int lock;
	err e = folder_lock_bodies(x->store->folder.self, false, &lock);

	if (e != OK)
		return e;
	e = verify_part(&v);
	segment_close(&v.segment);
	buf_free(&v.memory);
	close(lock);
	return e;
}

err admin_verify(struct admin *x)
{
	return admin_read(x, verify_read);
}

err admin_compact(struct admin *x)
{
	struct compaction done;
	err e = compact(x->store, true, &done);

	if (e != OK)
		return e;
	struct row *row = admin_row(x);
	admin_num(x, row, "segments", done.segments);
	admin_num(x, row, "octets", done.octets);
	return OK;
}
