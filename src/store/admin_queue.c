/* SPDX-License-Identifier: ISC */
/* pombo queue list, show */
#include "base/encode.h"
#include "store/queue_filter.h"

/* What runs in a worker thread. */
struct looking {
	struct queue_filter filter;
	bool all; /* that is known of each */
};

static void due_cell(struct admin *x, struct row *row, const struct queue_entry *e)
{
	if (e->shown == SHOWN_WAITING)
		admin_time(x, row, "due", e->due > QUEUE_DUE_EXPIRED ? e->due : queue_now());
	else
		admin_str(x, row, "due", STR(""));
}

static void entry_cells(struct admin *x, struct row *row, const struct queue_entry *e)
{
	admin_id(x, row, "id", e->message);
	admin_time(x, row, "received", e->received);
	admin_str(x, row, "sender", e->sender);
	admin_str(x, row, "recipient", e->address);
	admin_str(x, row, "destination", e->destination);
	admin_str(x, row, "state", str_from(queue_shown_name(e->shown)));
	due_cell(x, row, e);
	admin_num(x, row, "attempts", e->attempts);
	admin_str(x, row, "reply", e->reply);
}

static void more_cells(struct admin *x, struct row *row, const struct queue_entry *e)
{
	admin_str(x, row, "original", e->original);
	admin_str(x, row, "said-sender", e->said);
	admin_time(x, row, "expires", e->expires);
	admin_str(x, row, "warned", e->warned != 0 ? STR("yes") : STR("no"));
	admin_num(x, row, "size", e->size);
	admin_str(x, row, "login", e->login);
	admin_str(x, row, "message-id", e->message_id);
	admin_str(x, row, "subject", e->subject);
}

static err look(struct admin *x, struct db *db)
{
	const struct looking *l = x->state;
	struct queue_mark mark = queue_mark_read(x), told = mark;
	struct query q = queue_walk(db, &l->filter, &mark);
	struct queue_entry entry;

	while (queue_walk_next(&q, &l->filter, &mark, &entry)) {
		if (admin_full(x)) {
			queue_mark_tell(x, &told);
			break;
		}
		struct row *row = admin_row(x);
		entry_cells(x, row, &entry);
		if (l->all)
			more_cells(x, row, &entry);
		told = mark;
	}
	return query_end(&q);
}

static err list(struct admin *x, bool all)
{
	struct looking l = {.all = all};
	err e = queue_filter_read(x, &l.filter);

	x->state = &l;
	if (e == OK && all && !l.filter.given)
		e = admin_usage("queue show ID|FILTER...");
	if (e == OK)
		e = admin_read(x, look);
	if (e == OK && l.filter.id != 0 && x->reply->rows_n == 0 && x->request->resume.n == 0)
		e = err_note(E_NOT_FOUND, "nothing of that message is in the queue");
	x->state = NULL;
	return e;
}

err queue_list(struct admin *x)
{
	return list(x, false);
}

err queue_show(struct admin *x)
{
	return list(x, true);
}
