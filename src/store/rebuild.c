/* SPDX-License-Identifier: ISC */
#include "store/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/log.h"
#include "rt/rt.h"
#include "store/backup.h"
#include "store/folder.h"
#include "store/ledger.h"
#include "store/message.h"
#include "store/rebuild_place.h"
#include "store/recover.h"

static const char database_name[] = "pombo.db", new_name[] = "pombo.db.rebuild";

struct rebuild {
	struct folder folder;
	struct db *db;
	uint64_t *segments; /* numbers */
	size_t segments_n, segments_size;
	uint64_t number, size; /* of the segment that is being read */
	uint64_t expires;      /* of what is queued again */
	struct rebuild_result *result;
};

/* What records tell of a mailbox, until all of them were read. */
static const char begin_sql[] = "CREATE TEMP TABLE seen (mailbox INTEGER PRIMARY KEY, local TEXT NOT NULL, domain TEXT "
				"NOT NULL, name TEXT NOT NULL,"
				" uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL, modseq INTEGER NOT NULL)";

/* Accounts in the order of their first mailbox. Of several mailboxes of one name (the account was removed and made anew) the last has the name. */
static const char finish_sql[] =
	"INSERT INTO account (id, local, domain, created)"
	" SELECT row_number() OVER (ORDER BY min(mailbox)), local, domain, 0 FROM seen GROUP BY local, domain;"
	"INSERT INTO mailbox (id, account, name, uidvalidity, uidnext, modseq)"
	" SELECT s.mailbox, a.id, CASE WHEN EXISTS (SELECT 1 FROM seen t WHERE t.local = s.local AND t.domain = "
	"s.domain AND t.name = s.name"
	" AND t.mailbox > s.mailbox) THEN s.name || ' (' || s.mailbox || ')' ELSE s.name END, s.uidvalidity, s.uid + "
	"1, s.modseq"
	" FROM seen s JOIN account a ON a.local = s.local AND a.domain = s.domain;"
	"UPDATE mailbox SET messages = (SELECT count(*) FROM item WHERE mailbox = mailbox.id),"
	" octets = (SELECT coalesce(sum(size), 0) FROM item WHERE mailbox = mailbox.id);"
	"CREATE TEMP TABLE shown (message INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
	"INSERT INTO shown SELECT message, count(*) FROM (SELECT message FROM item UNION ALL SELECT message FROM queue)"
	" AS rows GROUP BY message;"
	"UPDATE queue SET state = 1, due = due + 4611686018427387904," /* QUEUE_HELD, QUEUE_DUE_HELD */
	" reply = 'found in the segments; it may have been sent before' WHERE state = 0;"
	"UPDATE message SET items = coalesce((SELECT n FROM shown WHERE message = message.id), 0);"
	"UPDATE segment SET live = (SELECT coalesce(sum(length), 0) FROM message WHERE segment = number AND items > 0);"
	"UPDATE meta SET value = (SELECT coalesce(max(id), 0) + 1 FROM message) WHERE key = 'next_id';"
	"UPDATE meta SET value = (SELECT coalesce(max(id), 0) + 1 FROM account) WHERE key = 'next_account';";
static const char next_mailbox_sql[] =
	"UPDATE meta SET value = (SELECT coalesce(max(id), 0) + 1 FROM mailbox) WHERE key = 'next_mailbox';";

static err system_error(const char *what)
{
	return err_note(errno == ENOSPC ? E_FULL : E_IO, "%s: %s", what, strerrordesc_np(errno));
}

/* --- records --- */

static err saw_mailbox(struct rebuild *r, const struct envelope_rcpt *rcpt)
{
	struct query q = db_query(
		r->db,
		"INSERT INTO seen (mailbox, local, domain, name, uidvalidity, uid, modseq) VALUES (?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (mailbox) DO UPDATE SET uid = max(uid, excluded.uid),"
		" modseq = max(modseq, excluded.modseq)");
	size_t at = str_find_last(rcpt->address, '@');

	query_put_num(&q, rcpt->mailbox);
	query_put_str(&q, str_take(rcpt->address, at));
	query_put_str(&q, str_drop(rcpt->address, at + 1));
	query_put_str(&q, rcpt->name);
	query_put_num(&q, rcpt->uidvalidity);
	query_put_num(&q, rcpt->uid);
	query_put_num(&q, rcpt->modseq);
	return query_run(&q);
}

static err has_item(struct rebuild *r, const struct envelope_rcpt *rcpt, bool *there)
{
	struct query q = db_query(r->db, "SELECT 1 FROM item WHERE mailbox = ? AND uid = ?");
	uint64_t one;

	query_put_num(&q, rcpt->mailbox);
	query_put_num(&q, rcpt->uid);
	return query_one(&q, &one, there);
}

/* On another server: what became of it is known when the copy is one that compaction made later. */
static err settle(struct rebuild *r, const struct envelope *envelope, size_t i)
{
	struct ledger_credit credit = {.message = envelope->id,
	                               .rcpt = i,
	                               .at = envelope->received,
	                               .kind = (enum ledger_kind)envelope->rcpts[i].settled,
	                               .reply = STR("found in the segments")};

	return ledger_credit(r->db, &credit);
}

static err queue_again(struct rebuild *r, const struct envelope *envelope, size_t i)
{
	struct queue_times times = queue_times_of(envelope, 0);

	times.due = envelope->received;
	times.expires = r->expires;
	return queue_insert(r->db, envelope, i, &times);
}

static err add_remote(struct rebuild *r, const struct envelope *envelope, size_t i)
{
	err e = ledger_accept(r->db, envelope, i);

	if (e != OK)
		return e;
	return envelope->rcpts[i].settled != 0 ? settle(r, envelope, i) : queue_again(r, envelope, i);
}

/* As envelope_prefix, but for one of several items of the message that may be in the mailbox. */
static str prefix_of(const struct envelope *envelope, const struct envelope_rcpt *rcpt, struct arena *a)
{
	struct prefix p;

	prefix_begin(&p, envelope);
	for (size_t i = 0; i < envelope->rcpts_n; i++)
		if (envelope->rcpts[i].mailbox == rcpt->mailbox && envelope->rcpts[i].uid == rcpt->uid)
			prefix_add(&p, &envelope->rcpts[i]);
	return prefix_end(&p, a);
}

static err add_item(struct rebuild *r, const struct envelope *envelope, size_t i, uint64_t body, struct arena *a)
{
	const struct envelope_rcpt *rcpt = &envelope->rcpts[i];
	bool there = false;
	err e = saw_mailbox(r, rcpt);

	if (e == OK)
		e = place_make_way(r->db, (struct item_place){rcpt->mailbox, rcpt->uid}, envelope->id);
	if (e == OK)
		e = has_item(r, rcpt, &there);
	if (e != OK || there || rcpt->expunged)
		return e;
	str prefix = prefix_of(envelope, rcpt, a);
	return item_insert(r->db, envelope, rcpt, prefix, prefix.n + body);
}

static err add_recipient(struct rebuild *r, const struct envelope *envelope, size_t i, uint64_t body, struct arena *a)
{
	if (envelope->rcpts[i].mailbox == 0)
		return add_remote(r, envelope, i);
	err e = ledger_deliver(r->db, envelope, i);
	return e == OK ? add_item(r, envelope, i, body, a) : e;
}

static err forget_queued(struct rebuild *r, uint64_t message, size_t rcpt, bool *was)
{
	struct query q = db_query(r->db, "DELETE FROM queue WHERE message = ? AND rcpt = ?");

	query_put_num(&q, message);
	query_put_num(&q, rcpt);
	err e = query_run(&q);
	*was = db_changes(r->db) > 0;
	return e;
}

/* The original knew this recipient as queued. */
static err settle_copy(struct rebuild *r, const struct envelope *envelope, size_t i, uint64_t body, struct arena *a)
{
	const struct envelope_rcpt *rcpt = &envelope->rcpts[i];

	if (rcpt->mailbox == 0)
		return settle(r, envelope, i);
	err e = ledger_mailbox(r->db, envelope->id, i, envelope->received, rcpt);
	return e == OK ? add_item(r, envelope, i, body, a) : e;
}

static err copy_recipient(struct rebuild *r, const struct envelope *envelope, size_t i, uint64_t body, struct arena *a)
{
	const struct envelope_rcpt *rcpt = &envelope->rcpts[i];
	bool queued = false;
	err e = forget_queued(r, envelope->id, i, &queued);

	if (e != OK)
		return e;
	if (queued && rcpt->mailbox == 0 && rcpt->settled == 0)
		return queue_again(r, envelope, i); /* it may have been released from quarantine meanwhile */
	if (queued)
		return settle_copy(r, envelope, i, body, a);
	if (rcpt->mailbox == 0)
		return OK;
	e = saw_mailbox(r, rcpt);
	return e == OK ? place_renew(r->db, envelope, i) : e;
}

/* A second copy was made by compaction: it is where the message is now, and it knows what was expunged before. What is not the same
 * message was refused, because its id had been used before. */
static err add_copy(struct rebuild *r, const struct envelope *envelope, const struct location *at, uint64_t body,
                    struct arena *a)
{
	struct query q = db_query(r->db, "UPDATE message SET segment = ?, offset = ?, length = ?"
	                                 " WHERE id = ? AND received = ? AND body = ?");

	query_put_num(&q, at->segment);
	query_put_num(&q, at->offset);
	query_put_num(&q, at->length);
	query_put_num(&q, envelope->id);
	query_put_num(&q, envelope->received);
	query_put_num(&q, body);
	err e = query_run(&q);
	if (e != OK || db_changes(r->db) == 0)
		return e;
	for (size_t i = 0; i < envelope->rcpts_n && e == OK; i++)
		e = copy_recipient(r, envelope, i, body, a);
	return e;
}

static err is_known(struct rebuild *r, uint64_t message, bool *known)
{
	struct query q = db_query(r->db, "SELECT 1 FROM message WHERE id = ?");
	uint64_t one;

	query_put_num(&q, message);
	return query_one(&q, &one, known);
}

static err add_message(struct rebuild *r, const struct segment_record *record, uint64_t at)
{
	struct location location = {r->number, at, record->length};
	struct envelope envelope;
	bool known = false;
	ARENA(a, SEGMENT_RECORD_MAX);
	err e = envelope_unpack(record, &envelope, &a);

	if (e == OK)
		e = is_known(r, envelope.id, &known);
	if (e != OK || known)
		return e == OK ? add_copy(r, &envelope, &location, record->body.n, &a) : e;
	e = message_insert(r->db, &envelope, &location, record->body.n, 0);
	for (size_t i = 0; i < envelope.rcpts_n && e == OK; i++)
		e = add_recipient(r, &envelope, i, record->body.n, &a);
	r->result->messages++;
	return e;
}

static err add_tombstones(struct rebuild *r, const struct segment_record *record)
{
	struct tombstones t;
	ARENA(a, SEGMENT_RECORD_MAX);
	err e = tombstones_unpack(record->envelope, &t, &a);

	return e == OK ? places_note_tombstones(r->db, &t) : e;
}

static err add_moves(struct rebuild *r, const struct segment_record *record)
{
	struct moves m;
	ARENA(a, SEGMENT_RECORD_MAX);
	err e = moves_unpack(record->envelope, &m, &a);

	for (size_t i = 0; i < m.items_n && e == OK; i++) {
		const struct envelope_rcpt rcpt = {.address = m.address,
		                                   .mailbox = m.mailbox,
		                                   .name = m.name,
		                                   .uidvalidity = m.uidvalidity,
		                                   .uid = m.items[i].uid,
		                                   .modseq = m.items[i].modseq};

		e = saw_mailbox(r, &rcpt);
	}
	return e == OK ? places_note_moves(r->db, &m) : e;
}

static err add_record(struct rebuild *r, const struct segment_record *record, uint64_t at)
{
	if (segment_is_message(record))
		return add_message(r, record, at);
	return record->kind == SEGMENT_MOVES ? add_moves(r, record) : add_tombstones(r, record);
}

/* --- segments --- */

static err segment_row(struct rebuild *r)
{
	struct query q = db_query(r->db, "INSERT INTO segment (number, size, live) VALUES (?, ?, 0)");

	query_put_num(&q, r->number);
	query_put_num(&q, r->size);
	return query_run(&q);
}

static err read_records(struct rebuild *r, const struct segment *segment)
{
	struct segment_scan scan = segment_scan_begin(segment, r->size);
	struct segment_record record;
	err e;

	while ((e = segment_scan_next(&scan, &record)) == OK) {
		e = add_record(r, &record, scan.at);
		if (e != OK)
			break;
	}
	r->result->damaged += scan.damaged;
	segment_scan_end(&scan);
	return e == E_END ? OK : e;
}

static err read_segment(struct rebuild *r, uint64_t number)
{
	struct segment segment;
	err e = segment_open(r->folder.bodies, number, SEGMENT_READ, &segment);

	if (e == E_SYNTAX) {
		LOG(WARN, "store.rebuild", LOG_NUM("segment", number), LOG_Z("fault", err_info()->text));
		return OK;
	}
	if (e != OK)
		return e;
	r->number = number;
	e = segment_size(&segment, &r->size);
	if (e == OK)
		e = segment_row(r);
	if (e == OK)
		e = read_records(r, &segment);
	segment_close(&segment);
	r->result->segments++;
	return e;
}

static err note_segment(void *arg, uint64_t number)
{
	struct rebuild *r = arg;

	if (r->segments_n == r->segments_size) {
		size_t size = r->segments_size * 2 + 64;
		uint64_t *p = realloc(r->segments, size * sizeof(*p));
		if (p == NULL)
			return err_note(E_MEMORY, "no memory for a list of segments");
		r->segments = p;
		r->segments_size = size;
	}
	r->segments[r->segments_n++] = number;
	return OK;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* In the order in which they were written: expunges come after what they expunge, copies after their originals. */
static err read_segments(struct rebuild *r)
{
	err e = recover_each(r->folder.bodies, note_segment, r);

	if (r->segments_n > 0)
		qsort(r->segments, r->segments_n, sizeof(*r->segments), by_number);
	for (size_t i = 0; i < r->segments_n && e == OK; i++)
		e = read_segment(r, r->segments[i]);
	return e;
}

/* --- the database --- */

static err skip_uids(struct db *db)
{
	struct query q = db_query(db, "UPDATE mailbox SET uidnext = uidnext + ?, modseq = modseq + ?");

	query_put_num(&q, BACKUP_UID_GAP);
	query_put_num(&q, BACKUP_UID_GAP);
	return query_run(&q);
}

/* Of accounts whose INBOX no record speaks of: they take mail. */
static err add_inboxes(struct db *db, uint64_t now)
{
	struct query q =
		db_query(db, "INSERT INTO mailbox (id, account, name, uidvalidity)"
	                     " SELECT (SELECT max(id) FROM mailbox) + row_number() OVER (ORDER BY a.id), a.id, 'INBOX',"
	                     " ? + (SELECT max(id) FROM mailbox) FROM account a"
	                     " WHERE NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.account = a.id AND m.name = 'INBOX')");

	query_put_num(&q, now / USEC_PER_SEC);
	return query_run(&q);
}

static err count_results(struct rebuild *r)
{
	struct query q = db_query(r->db, "SELECT (SELECT count(*) FROM item), (SELECT count(*) FROM account),"
	                                 " (SELECT count(*) FROM queue)");

	if (query_row(&q)) {
		r->result->items = query_num(&q);
		r->result->accounts = query_num(&q);
		r->result->held = query_num(&q);
	}
	return query_end(&q);
}

static err fill_database(struct rebuild *r)
{
	err e = schema_apply(r->db);

	if (e == OK)
		e = db_begin(r->db);
	if (e == OK)
		e = db_script(r->db, begin_sql);
	if (e == OK)
		e = places_begin(r->db);
	if (e == OK)
		e = read_segments(r);
	if (e == OK)
		e = places_settle(r->db);
	if (e == OK)
		e = db_script(r->db, finish_sql);
	if (e == OK)
		e = add_inboxes(r->db, (uint64_t)rt_wall());
	if (e == OK)
		e = db_script(r->db, next_mailbox_sql);
	if (e == OK)
		e = skip_uids(r->db);
	if (e == OK)
		e = count_results(r);
	return e == OK ? db_commit(r->db) : e;
}

/* A log or index that belonged to the lost database must never meet the new one. */
static err put_in_place(struct rebuild *r)
{
	static const char *const left_over[] = {"pombo.db-wal", "pombo.db-shm"};
	int fd = openat(r->folder.self, new_name, O_RDWR | O_CLOEXEC);
	err e = fd < 0 || fsync(fd) != 0 ? system_error(new_name) : OK;

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < ARRAY_LEN(left_over) && e == OK; i++)
		if (unlinkat(r->folder.self, left_over[i], 0) != 0 && errno != ENOENT)
			e = system_error(left_over[i]);
	if (e == OK && renameat(r->folder.self, new_name, r->folder.self, database_name) != 0)
		e = system_error(database_name);
	return e == OK && fsync(r->folder.self) != 0 ? system_error("data folder") : e;
}

static err check_lost(const struct rebuild *r)
{
	struct stat st;

	if (fstatat(r->folder.self, database_name, &st, 0) == 0 && st.st_size > 0)
		return err_note(E_EXISTS, "there is a database already; move %s away to rebuild it", database_name);
	return OK;
}

static err rebuild_in_folder(struct rebuild *r, const char *data)
{
	char path[2048];
	int n = snprintf(path, sizeof(path), "%s/%s", data, new_name);
	err e = n > 0 && (size_t)n < sizeof(path) ? check_lost(r) : err_note(E_LIMIT, "%s: the path is too long", data);

	if (e != OK)
		return e;
	(void)unlinkat(r->folder.self, new_name, 0); /* of an attempt that was interrupted */
	e = db_open(path, DB_SCRATCH, &r->db);
	if (e == OK)
		e = fill_database(r);
	db_close(r->db);
	return e == OK ? put_in_place(r) : e;
}

err rebuild_run(const char *data, struct rebuild_result *out)
{
	struct rebuild r = {.result = out, .expires = (uint64_t)rt_wall() + BACKUP_EXPIRE};
	err e = folder_open(data, &r.folder);

	*out = (struct rebuild_result){0};
	if (e != OK)
		return e;
	e = rebuild_in_folder(&r, data);
	free(r.segments);
	folder_close(&r.folder);
	return e;
}
