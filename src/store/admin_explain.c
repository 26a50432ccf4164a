/* SPDX-License-Identifier: ISC */
/* pombo explain */
#include "base/encode.h"
#include "mail/finding.h"
#include "store/explain.h"
#include "store/queue.h"
#include "store/refuse.h"
#include "store/schema.h"

enum { MESSAGES_MAX = 20, RECIPIENTS_TOLD = 100 };

/* --- what message --- */

static err accepted_row(struct admin *x, struct db *db, uint64_t id, bool *found)
{
	struct query q = db_query(db, "SELECT received, session, client, helo, login, sender, message_id, subject"
	                              " FROM message WHERE id = ?");
	static const char *const names[] = {"session", "client", "helo", "login", "from", "message-id", "subject"};

	query_put_num(&q, id);
	*found = query_row(&q);
	if (*found) {
		struct row *row = admin_row(x);

		admin_str(x, row, "what", STR("message"));
		admin_id(x, row, "id", id);
		admin_str(x, row, "state", STR("accepted"));
		admin_time(x, row, "time", query_num(&q));
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			admin_str(x, row, names[i], query_str(&q));
	}
	return query_end(&q);
}

static void recipients_of(struct admin *x, str rcpts)
{
	for (str w = str_word(&rcpts); w.n > 0; w = str_word(&rcpts)) {
		struct row *row = admin_row(x);

		admin_str(x, row, "what", STR("recipient"));
		admin_str(x, row, "address", w);
		admin_str(x, row, "state", STR("refused"));
	}
}

static err refused_rows(struct admin *x, struct db *db, uint64_t id, bool *found)
{
	struct query q =
		db_query(db, "SELECT at, session, client, helo, sender, message_id, subject, detail, rcpts FROM refusal"
	                     " WHERE id = ?");
	static const char *const names[] = {"session", "client", "helo", "from", "message-id", "subject", "reply"};

	query_put_num(&q, id);
	*found = query_row(&q);
	if (*found) {
		struct row *row = admin_row(x);

		admin_str(x, row, "what", STR("message"));
		admin_id(x, row, "id", id);
		admin_str(x, row, "state", STR("refused"));
		admin_time(x, row, "time", query_num(&q));
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			admin_str(x, row, names[i], query_str(&q));
		recipients_of(x, query_str(&q));
	}
	return query_end(&q);
}

/* --- where it went --- */

static const char *state_name(bool credited, uint64_t kind, bool queued, uint64_t state)
{
	static const char *const states[] = {"queued", "held", "failing", "quarantined"};

	if (credited)
		return ledger_kind_name(kind);
	return queued && state < ARRAY_LEN(states) ? states[state] : "lost";
}

static err recipient_rows(struct admin *x, struct db *db, uint64_t id)
{
	struct query q = db_query(
		db,
		"SELECT d.address, c.kind IS NOT NULL, coalesce(c.kind, 0), q.state IS NOT NULL, coalesce(q.state, 0),"
		" coalesce(m.name, ''), coalesce(c.detail, q.reply, '') FROM ledger d"
		" LEFT JOIN ledger c ON c.message = d.message AND c.rcpt = d.rcpt AND c.side = 1"
		" LEFT JOIN queue q ON q.message = d.message AND q.rcpt = d.rcpt"
		" LEFT JOIN mailbox m ON m.id = c.mailbox"
		" WHERE d.message = ? AND d.side = 0 ORDER BY d.rcpt LIMIT ?");

	query_put_num(&q, id);
	query_put_num(&q, RECIPIENTS_TOLD);
	while (query_row(&q) && !admin_full(x)) {
		struct row *row = admin_row(x);

		admin_str(x, row, "what", STR("recipient"));
		admin_str(x, row, "address", query_str(&q));
		bool credited = query_num(&q) != 0;
		uint64_t kind = query_num(&q);
		bool queued = query_num(&q) != 0;
		uint64_t state = query_num(&q);
		admin_str(x, row, "state", str_from(state_name(credited, kind, queued, state)));
		admin_str(x, row, "mailbox", query_str(&q));
		admin_str(x, row, "detail", query_str(&q));
	}
	return query_end(&q);
}

/* --- why --- */

err explain_findings(struct admin *x, struct db *db, uint64_t id, str *text)
{
	struct query q = db_query(db, "SELECT text FROM finding WHERE message = ?");

	*text = STR("");
	query_put_num(&q, id);
	if (query_row(&q))
		*text = arena_str(x->arena, query_str(&q));
	return query_end(&q);
}

str explain_decision(str findings)
{
	struct finding f;
	str decision = STR("");

	while (finding_next(&findings, &f))
		if (f.kind == FINDING_DECISION && decision.n == 0)
			decision = f.evidence.n > 0 ? f.evidence : f.name;
	return decision;
}

static void points_cell(struct admin *x, struct row *row, int64_t points)
{
	BUF(text, 64);

	finding_points_print(&text, points);
	admin_str(x, row, "points", buf_str(&text));
}

static void finding_rows(struct admin *x, str text)
{
	int64_t sum = 0;
	struct finding f;

	if (text.n == 0)
		return;
	while (finding_next(&text, &f)) {
		struct row *row = admin_row(x);

		admin_str(x, row, "what", STR("finding"));
		admin_str(x, row, "kind", str_from(finding_kind_name(f.kind)));
		admin_str(x, row, "name", f.name);
		admin_str(x, row, "result", f.result);
		points_cell(x, row, f.points);
		admin_str(x, row, "evidence", f.evidence);
		if (f.kind == FINDING_RULE || f.kind == FINDING_SCANNER)
			sum += f.points;
	}
	struct row *row = admin_row(x);
	admin_str(x, row, "what", STR("sum"));
	points_cell(x, row, sum);
}

err explain_message(struct admin *x, struct db *db, uint64_t id, bool *found)
{
	bool accepted = false, refused = false;
	str findings = STR("");
	err e = accepted_row(x, db, id, &accepted);

	if (e == OK && accepted)
		e = recipient_rows(x, db, id);
	if (e == OK && !accepted)
		e = refused_rows(x, db, id, &refused);
	*found = accepted || refused;
	if (e == OK && *found)
		e = explain_findings(x, db, id, &findings);
	if (e == OK)
		finding_rows(x, findings);
	return e;
}

/* --- the verb --- */

/* The newest of this Message-ID: it may have come several times, and been refused before. */
static err find_messages(struct admin *x, struct db *db, uint64_t *ids, size_t *n)
{
	struct query q =
		db_query(db, "SELECT id FROM message WHERE message_id = ? OR message_id = '<' || ? || '>'"
	                     " UNION SELECT id FROM refusal WHERE message_id = ? OR message_id = '<' || ? || '>'"
	                     " ORDER BY 1 DESC LIMIT ?");
	str text = admin_word(x, 1);

	for (int i = 0; i < 4; i++)
		query_put_str(&q, text);
	query_put_num(&q, MESSAGES_MAX);
	while (*n < MESSAGES_MAX && query_row(&q))
		ids[(*n)++] = query_num(&q);
	return query_end(&q);
}

static err explain_read(struct admin *x, struct db *db)
{
	uint64_t ids[MESSAGES_MAX];
	size_t n = 0;
	bool found = false, any = false;
	str what = admin_word(x, 1);
	err e = OK;

	if (str_find(what, '@') < what.n || str_starts(what, STR("<")))
		e = find_messages(x, db, ids, &n);
	else if (id_parse(what, &ids[0]))
		n = 1;
	else
		return err_note(E_SYNTAX, STR_FMT " is no message id", STR_ARG(what));
	for (size_t i = n; i > 0 && e == OK && !admin_full(x); i--) {
		e = explain_message(x, db, ids[i - 1], &found);
		any |= found;
	}
	return e == OK && !any ? err_note(E_NOT_FOUND, "no message is known of " STR_FMT, STR_ARG(what)) : e;
}

err admin_explain(struct admin *x)
{
	if (x->request->words_n != 2)
		return admin_usage("explain ID|MESSAGE-ID");
	err e = refusals_flush(x->store);
	return e == OK ? admin_read(x, explain_read) : e;
}
