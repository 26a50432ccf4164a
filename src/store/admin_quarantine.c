/* SPDX-License-Identifier: ISC */
/* pombo quarantine list, show. What changes it stands with the queue's verbs (admin_queue_change.c). */
#include "base/encode.h"
#include "mail/header.h"
#include "store/explain.h"
#include "store/queue_filter.h"
#include "store/stored.h"

enum { HEADER_LINES_MAX = 80, LINE_MAX = 1000 };

static err entry_row(struct admin *x, struct db *db, const struct queue_entry *e)
{
	struct row *row = admin_row(x);
	str findings;

	admin_id(x, row, "id", e->message);
	admin_time(x, row, "received", e->received);
	admin_str(x, row, "sender", e->sender);
	admin_str(x, row, "recipient", e->address);
	admin_num(x, row, "size", e->size);
	admin_str(x, row, "subject", e->subject);
	err error = explain_findings(x, db, e->message, &findings);
	admin_str(x, row, "decision", explain_decision(findings));
	return error;
}

static err list_read(struct admin *x, struct db *db)
{
	const struct queue_filter *f = x->state;
	struct queue_mark mark = queue_mark_read(x), told = mark;
	struct query q = queue_walk(db, f, &mark);
	struct queue_entry entry;
	err e = OK;

	while (e == OK && queue_walk_next(&q, f, &mark, &entry)) {
		if (admin_full(x)) {
			queue_mark_tell(x, &told);
			break;
		}
		e = entry_row(x, db, &entry);
		told = mark;
	}
	err end = query_end(&q);
	return e == OK ? end : e;
}

err quarantine_list(struct admin *x)
{
	struct queue_filter f;
	err e = queue_filter_read(x, &f);

	f.shown = SHOWN_QUARANTINED;
	x->state = &f;
	if (e == OK)
		e = admin_read(x, list_read);
	x->state = NULL;
	return e;
}

/* --- show --- */

static void header_rows(struct admin *x, str header)
{
	str line;

	for (size_t i = 0; i < HEADER_LINES_MAX && header.n > 0; i++) {
		str_cut(header, '\n', &line, &header);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			return;
		struct row *row = admin_row(x);
		admin_str(x, row, "what", STR("header"));
		admin_str(x, row, "text", str_take(line, LINE_MAX));
	}
}

static err show_read(struct admin *x, struct db *db)
{
	BUF(memory, SEGMENT_RECORD_MAX);
	uint64_t id = 0;
	bool found = false;
	str body;

	if (!id_parse(admin_word(x, 2), &id))
		return err_note(E_SYNTAX, STR_FMT " is no message id", STR_ARG(admin_word(x, 2)));
	err e = explain_message(x, db, id, &found);
	if (e == OK && !found)
		return err_note(E_NOT_FOUND, "there is no message " STR_FMT, STR_ARG(admin_word(x, 2)));
	if (e == OK)
		e = stored_read(x->store->readers, db, id, &memory, &body);
	if (e == OK)
		header_rows(x, str_take(body, header_size(body)));
	return e == E_END ? OK : e;
}

err quarantine_show(struct admin *x)
{
	if (x->request->words_n != 3)
		return admin_usage("quarantine show ID");
	return admin_read(x, show_read);
}
