/* SPDX-License-Identifier: ISC */
#include "store/judged.h"

#include "base/date.h"
#include "mail/finding.h"
#include "mailauth/dmarc_row.h"

enum {
	NOTES_MAX = 64,
	KEY_MAX = 300,
	NOTE_MOST = 1000,
	REPORTS_MAX = 8,
	NAME_MAX_OCTETS = 300,
	REPORT_TEXT_MAX = 256 << 10
};

uint64_t judged_day(uint64_t at)
{
	const uint64_t day = 86400ull * USEC_PER_SEC;

	return at - at % day;
}

/* Whole lines. */
static str cut_lines(str text, size_t most)
{
	if (text.n <= most)
		return text;
	size_t end = str_find_last(str_take(text, most), '\n');
	return str_take(text, end < most ? end + 1 : 0);
}

static err keep_findings(struct db *db, uint64_t message, str text)
{
	struct query q =
		db_query(db, "INSERT INTO finding (message, text) VALUES (?, ?) ON CONFLICT (message) DO NOTHING");

	query_put_num(&q, message);
	query_put_str(&q, cut_lines(text, FINDINGS_MAX));
	return query_run(&q);
}

static err keep_note(struct db *db, uint64_t at, const struct note *n)
{
	struct query q = db_query(
		db,
		"INSERT INTO history (key, good, bad, first, last) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE"
		" SET good = history.good + excluded.good, bad = history.bad + excluded.bad, last = excluded.last");

	query_put_str(&q, n->key);
	query_put_num(&q, n->good < NOTE_MOST ? n->good : NOTE_MOST);
	query_put_num(&q, n->bad < NOTE_MOST ? n->bad : NOTE_MOST);
	query_put_num(&q, at);
	query_put_num(&q, at);
	return query_run(&q);
}

static err count_row(struct db *db, uint64_t at, const struct judgement *j)
{
	struct query q = db_query(db, "INSERT INTO tally (domain, day, row, count) VALUES (?, ?, ?, 1)"
	                              " ON CONFLICT (domain, day, row) DO UPDATE SET count = tally.count + 1");

	query_put_str(&q, j->dmarc_domain);
	query_put_num(&q, judged_day(at));
	query_put_str(&q, j->dmarc_row);
	return query_run(&q);
}

static bool is_name(str s)
{
	return s.n > 0 && s.n <= NAME_MAX_OCTETS && !str_has_control(s);
}

/* The same report twice is one; one that nobody proved to be whose it says gives way to one that is. */
static err keep_report(struct db *db, uint64_t message, const struct report_read *r)
{
	struct query q = db_query(
		db, "INSERT INTO report (kind, domain, organization, id, message, since, until, verified, text)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
		    " ON CONFLICT (kind, domain, organization, id) DO UPDATE SET message = excluded.message,"
		    " since = excluded.since, until = excluded.until, verified = excluded.verified,"
		    " text = excluded.text WHERE excluded.verified > report.verified");

	query_put_str(&q, r->kind);
	query_put_str(&q, r->domain);
	query_put_str(&q, r->organization);
	query_put_str(&q, r->id);
	query_put_num(&q, message);
	query_put_num(&q, r->from & INT64_MAX);
	query_put_num(&q, r->until & INT64_MAX);
	query_put_num(&q, r->verified != 0);
	query_put_str(&q, r->text);
	return query_run(&q);
}

static bool report_is_sound(const struct report_read *r)
{
	return is_name(r->kind) && is_name(r->domain) && is_name(r->organization) && is_name(r->id) &&
	       r->text.n <= REPORT_TEXT_MAX;
}

err judged_keep(struct db *db, uint64_t message, uint64_t at, const struct judgement *j)
{
	err e = j->findings.n > 0 ? keep_findings(db, message, j->findings) : OK;

	for (size_t i = 0; i < j->notes_n && i < NOTES_MAX && e == OK; i++)
		if (j->notes[i].key.n > 0 && j->notes[i].key.n <= KEY_MAX)
			e = keep_note(db, at, &j->notes[i]);
	if (e == OK && is_name(j->dmarc_domain) && j->dmarc_row.n > 0 && j->dmarc_row.n <= DMARC_ROW_MAX)
		e = count_row(db, at, j);
	for (size_t i = 0; i < j->reports_n && i < REPORTS_MAX && e == OK; i++)
		if (report_is_sound(&j->reports[i]))
			e = keep_report(db, message, &j->reports[i]);
	return e;
}
