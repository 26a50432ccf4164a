/* SPDX-License-Identifier: ISC */
/* pombo trace, pombo balance, pombo store stats */
#include "base/encode.h"
#include "store/admin.h"
#include "store/ledger.h"
#include "store/queue.h"
#include "store/refuse.h"
#include "store/trust.h"

enum { SCAN_MAX = 20000 };   /* messages looked at for one page */
enum { ATTEMPTS_MAX = 100 }; /* the last of a recipient that are told */

/* Where a page ended: everything up to message `id` was told, but for its recipients from `rcpt` on (0: all of it). */
struct mark {
	uint64_t id, rcpt;
};

static struct mark read_mark(const struct admin *x)
{
	struct mark m = {0};
	str id, rcpt;

	str_cut(x->request->resume, '.', &id, &rcpt);
	if (!str_to_u64(id, INT64_MAX, &m.id) || !str_to_u64(rcpt, INT64_MAX, &m.rcpt))
		m = (struct mark){0};
	return m;
}

static void more_at(struct admin *x, uint64_t id, uint64_t rcpt)
{
	x->reply->more = arena_printf(x->arena, "%llu.%llu", (unsigned long long)id, (unsigned long long)rcpt);
}

/* --- the story of one message --- */

static err message_rows(struct admin *x, struct db *db, uint64_t id, bool *found)
{
	struct query q = db_query(db, "SELECT received, session, client, helo, protocol, login, sender, body, "
	                              "message_id, subject, envid, items"
	                              " FROM message WHERE id = ?");

	query_put_num(&q, id);
	*found = query_row(&q);
	if (*found) {
		struct row *row = admin_row(x);

		admin_time(x, row, "time", query_num(&q));
		admin_str(x, row, "event", STR("received"));
		admin_id(x, row, "id", id);
		admin_str(x, row, "session", query_str(&q));
		admin_str(x, row, "client", query_str(&q));
		admin_str(x, row, "helo", query_str(&q));
		admin_str(x, row, "protocol", query_str(&q));
		admin_str(x, row, "login", query_str(&q));
		admin_str(x, row, "from", query_str(&q));
		admin_num(x, row, "size", query_num(&q));
		admin_str(x, row, "message-id", query_str(&q));
		admin_str(x, row, "subject", query_str(&q));
		admin_str(x, row, "envid", query_str(&q));
		admin_num(x, row, "copies", query_num(&q));
	}
	return query_end(&q);
}

/* One that was refused. */
static err refusal_row(struct admin *x, struct db *db, uint64_t id, bool *found)
{
	struct query q =
		db_query(db, "SELECT at, session, client, helo, sender, rcpts, message_id, subject, detail FROM refusal"
	                     " WHERE id = ?");
	static const char *const names[] = {"session", "client",     "helo",    "from",
	                                    "to",      "message-id", "subject", "reply"};

	query_put_num(&q, id);
	*found = query_row(&q);
	if (*found) {
		struct row *row = admin_row(x);

		admin_time(x, row, "time", query_num(&q));
		admin_str(x, row, "event", STR("refused"));
		admin_id(x, row, "id", id);
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			admin_str(x, row, names[i], query_str(&q));
	}
	return query_end(&q);
}

/* What is told of a recipient, in this order. */
enum part { DEBIT, ATTEMPT, QUEUE, CREDIT };

/* One event; what the texts and numbers mean depends on the part. */
struct event {
	uint64_t rcpt, part, at, kind;
	str texts[6];
	uint64_t numbers[3];
};

static const char events_sql[] =
	"SELECT rcpt, 0 AS part, at, 0 AS kind, address AS a, original AS b, orcpt AS c, '' AS d, '' AS e, '' AS f,"
	" 0 AS x, 0 AS y, 0 AS z, at AS time FROM ledger WHERE message = ? AND rcpt >= ? AND side = 0"
	" UNION ALL SELECT rcpt, 1, at, 0, status, host, reply, security, '', '', 0, 0, 0, at FROM"
	" (SELECT *, row_number() OVER (PARTITION BY rcpt ORDER BY at DESC) AS n FROM attempt WHERE message = ? AND "
	"rcpt >= ?)"
	" AS last WHERE n <= ?"
	" UNION ALL SELECT rcpt, 2, 0, state, destination, reply, sender, '', '', '', due, expires, attempts, 0 FROM "
	"queue"
	" WHERE message = ? AND rcpt >= ?"
	" UNION ALL SELECT l.rcpt, 3, l.at, l.kind, coalesce(a.local || '@' || a.domain, ''), coalesce(m.name, ''), "
	"l.detail,"
	" l.status, l.host, l.security, l.uid, i.uid IS NOT NULL, coalesce(i.flags, 0), l.at"
	" FROM ledger l LEFT JOIN mailbox m ON m.id = l.mailbox LEFT JOIN account a ON a.id = m.account"
	" LEFT JOIN item i ON i.mailbox = l.mailbox AND i.uid = l.uid WHERE l.message = ? AND l.rcpt >= ? AND l.side = "
	"1"
	" ORDER BY 1, 2, 14";

static struct query events_of(struct db *db, uint64_t id, uint64_t from)
{
	struct query q = db_query(db, events_sql);

	for (enum part part = DEBIT; part <= CREDIT; part++) {
		query_put_num(&q, id);
		query_put_num(&q, from);
		if (part == ATTEMPT)
			query_put_num(&q, ATTEMPTS_MAX);
	}
	return q;
}

static struct event read_event(struct query *q)
{
	struct event v = {.rcpt = query_num(q)};

	v.part = query_num(q);
	v.at = query_num(q);
	v.kind = query_num(q);
	for (size_t i = 0; i < ARRAY_LEN(v.texts); i++)
		v.texts[i] = query_str(q);
	for (size_t i = 0; i < ARRAY_LEN(v.numbers); i++)
		v.numbers[i] = query_num(q);
	return v;
}

static void texts(struct admin *x, struct row *row, const struct event *v, size_t from, const char *const *names,
                  size_t n)
{
	for (size_t i = 0; i < n; i++)
		admin_str(x, row, names[i], v->texts[from + i]);
}

static void debit_cells(struct admin *x, struct row *row, const struct event *v)
{
	static const char *const names[] = {"to", "original", "orcpt"};

	texts(x, row, v, 0, names, ARRAY_LEN(names));
}

static void attempt_cells(struct admin *x, struct row *row, const struct event *v)
{
	static const char *const names[] = {"status", "host", "reply", "security"};

	texts(x, row, v, 0, names, ARRAY_LEN(names));
}

static void queue_cells(struct admin *x, struct row *row, const struct event *v)
{
	static const char *const states[] = {"waiting", "held", "failing", "quarantined"}, *const names[] = {
												   "destination",
												   "reply", "from"};
	uint64_t due = v->numbers[0];

	texts(x, row, v, 0, names, ARRAY_LEN(names));
	admin_str(x, row, "state", str_from(states[v->kind < ARRAY_LEN(states) ? v->kind : 0]));
	if (v->kind == QUEUE_WAITING && due > QUEUE_DUE_EXPIRED)
		admin_time(x, row, "due", due);
	else
		admin_str(x, row, "due", STR(""));
	admin_time(x, row, "expires", v->numbers[1]);
	admin_num(x, row, "attempts", v->numbers[2]);
}

static void credit_cells(struct admin *x, struct row *row, const struct event *v)
{
	static const char *const names[] = {"reply", "status", "host", "security"};

	if (v->kind != LEDGER_MAILBOX) {
		texts(x, row, v, 2, names, ARRAY_LEN(names));
		return;
	}
	admin_str(x, row, "account", v->texts[0]);
	admin_str(x, row, "mailbox", v->texts[1]);
	admin_num(x, row, "uid", v->numbers[0]);
	admin_str(x, row, "detail", v->texts[2]);
	BUF(keywords, 256);
	trust_keywords(&keywords, v->numbers[2]);
	if (keywords.n > 0)
		admin_str(x, row, "keywords", buf_str(&keywords));
	if (v->numbers[1] == 0)
		admin_str(x, row, "state", STR("expunged"));
}

static const char *event_name(const struct event *v)
{
	return v->part == ATTEMPT ? "delayed" : v->part == QUEUE ? "queued" : ledger_kind_name(v->kind);
}

/* `accepted`: when its recipient was. */
static void event_row(struct admin *x, uint64_t id, const struct event *v, uint64_t accepted)
{
	static void (*const cells[])(struct admin *, struct row *, const struct event *) = {debit_cells, attempt_cells,
	                                                                                    queue_cells, credit_cells};
	struct row *row = admin_row(x);

	admin_time(x, row, "time", v->part == QUEUE ? accepted : v->at);
	admin_str(x, row, "event", str_from(event_name(v)));
	admin_id(x, row, "id", id);
	admin_num(x, row, "recipient", v->rcpt);
	cells[v->part](x, row, v);
}

/* From recipient `from` on; reply->more is set when the page ends before. */
static err ledger_rows(struct admin *x, struct db *db, uint64_t id, uint64_t from)
{
	struct query q = events_of(db, id, from);
	uint64_t accepted = 0;

	while (query_row(&q)) {
		struct event v = read_event(&q);

		if (v.part == DEBIT && v.rcpt > from && admin_full(x)) {
			more_at(x, id, v.rcpt);
			break;
		}
		if (v.part == DEBIT)
			accepted = v.at;
		event_row(x, id, &v, accepted);
	}
	return query_end(&q);
}

static err story(struct admin *x, struct db *db, uint64_t id, bool *found)
{
	err e = message_rows(x, db, id, found);

	if (e == OK && !*found)
		return refusal_row(x, db, id, found);
	return e == OK ? ledger_rows(x, db, id, 0) : e;
}

/* --- messages by address or Message-ID: a scan, bounded a page --- */

static const char by_address[] =
	"SELECT DISTINCT m.id FROM message m LEFT JOIN ledger l ON l.message = m.id AND l.side = 0"
	" WHERE m.id > ? AND m.id <= ? AND (lower(m.sender) = ? OR lower(l.address) = ? OR"
	" lower(l.original) = ? OR m.message_id = ? OR m.message_id = '<' || ? || '>')"
	" UNION SELECT id FROM refusal WHERE id > ? AND id <= ? AND (lower(sender) = ? OR"
	" instr(' ' || lower(rcpts) || ' ', ' ' || ? || ' ') > 0 OR message_id = ? OR message_id = '<' || ? || '>')"
	" ORDER BY 1";

static err scan_end(struct db *db, uint64_t from, uint64_t *to)
{
	struct query q = db_query(
		db, "SELECT coalesce(max(id), 0) FROM (SELECT id FROM (SELECT id FROM message WHERE id > ? ORDER BY id "
	            "LIMIT ?)"
		    " AS m UNION ALL SELECT id FROM (SELECT id FROM refusal WHERE id > ? ORDER BY id LIMIT ?) AS r"
		    " ORDER BY id LIMIT ?) AS part");

	for (int i = 0; i < 2; i++) {
		query_put_num(&q, from);
		query_put_num(&q, SCAN_MAX);
	}
	query_put_num(&q, SCAN_MAX);
	return query_one(&q, to, NULL);
}

static err find_messages(struct admin *x, struct db *db, uint64_t from, uint64_t to, uint64_t *ids, size_t *n)
{
	struct query q = db_query(db, by_address);
	str text = arena_lower(x->arena, admin_word(x, 1));

	for (int part = 0; part < 2; part++) {
		query_put_num(&q, from);
		query_put_num(&q, to);
		for (int i = 0; i < 3 - part; i++)
			query_put_str(&q, text);
		query_put_str(&q, admin_word(x, 1));
		query_put_str(&q, admin_word(x, 1));
	}
	*n = 0;
	while (*n < SCAN_MAX && query_row(&q))
		ids[(*n)++] = query_num(&q);
	return query_end(&q);
}

static bool page_ended(const struct admin *x)
{
	return x->reply->more.n > 0;
}

static err scan_after(struct admin *x, struct db *db, uint64_t from)
{
	uint64_t to = 0, *ids = arena_array(x->arena, SCAN_MAX, sizeof(*ids));
	size_t n = 0;
	bool found;
	err e = ids == NULL ? err_note(E_MEMORY, "no memory to trace") : scan_end(db, from, &to);

	if (e != OK || to == 0)
		return e; /* nothing is behind `from` */
	e = find_messages(x, db, from, to, ids, &n);
	for (size_t i = 0; i < n && e == OK && !page_ended(x); i++) {
		if (admin_full(x))
			more_at(x, ids[i - 1], 0);
		else
			e = story(x, db, ids[i], &found);
	}
	if (e == OK && !page_ended(x))
		more_at(x, to, 0);
	return e;
}

static err scan_read(struct admin *x, struct db *db)
{
	struct mark mark = read_mark(x);
	err e = mark.rcpt > 0 ? ledger_rows(x, db, mark.id, mark.rcpt) : OK;

	return e == OK && !page_ended(x) ? scan_after(x, db, mark.id) : e;
}

static err id_read(struct admin *x, struct db *db)
{
	struct mark mark = read_mark(x);
	uint64_t id = 0;
	bool found = false;

	if (mark.rcpt > 0)
		return ledger_rows(x, db, mark.id, mark.rcpt);
	if (!id_parse(admin_word(x, 1), &id))
		return err_note(E_SYNTAX, STR_FMT " is no message id and no address", STR_ARG(admin_word(x, 1)));
	err e = story(x, db, id, &found);
	return e == OK && !found ? err_note(E_NOT_FOUND, "there is no message " STR_FMT, STR_ARG(admin_word(x, 1))) : e;
}

err admin_trace(struct admin *x)
{
	str what = admin_word(x, 1);

	if (what.n == 0)
		return admin_usage("trace ID|MESSAGE-ID|ADDRESS");
	bool scan = str_find(what, '@') < what.n || str_starts(what, STR("<"));
	err e = refusals_flush(x->store);
	if (e != OK)
		return e;
	return admin_read(x, scan ? scan_read : id_read);
}

/* --- balance --- */

static err balance_read(struct admin *x, struct db *db)
{
	struct balance b;
	uint64_t since = 0;

	if (str_equal(admin_word(x, 1), STR("since")) && !str_to_u64(admin_word(x, 2), INT64_MAX, &since))
		return admin_usage("balance [since MICROSECONDS]");
	err e = ledger_balance(db, since, &b);
	if (e != OK)
		return e;
	struct row *row = admin_row(x);
	admin_num(x, row, "accepted", b.accepted);
	for (unsigned kind = LEDGER_MAILBOX; kind < LEDGER_KINDS; kind++)
		admin_num(x, row, ledger_kind_name(kind), b.credits[kind]);
	admin_num(x, row, "queued", b.queued);
	admin_num(x, row, "lost", b.lost);
	return OK;
}

err admin_balance(struct admin *x)
{
	return admin_read(x, balance_read);
}

/* --- stats --- */

static err stats_read(struct admin *x, struct db *db)
{
	struct query q = db_query(
		db,
		"SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM alias), (SELECT count(*) FROM mailbox),"
		" (SELECT coalesce(sum(messages), 0) FROM mailbox), (SELECT coalesce(sum(octets), 0) FROM mailbox),"
		" count(*), coalesce(sum(size), 0), coalesce(sum(live), 0) FROM segment");
	static const char *const names[] = {"accounts", "aliases",  "mailboxes",      "messages",
	                                    "octets",   "segments", "segment-octets", "live-octets"};

	if (query_row(&q)) {
		struct row *row = admin_row(x);

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			admin_num(x, row, names[i], query_num(&q));
	}
	return query_end(&q);
}

err admin_stats(struct admin *x)
{
	return admin_read(x, stats_read);
}
