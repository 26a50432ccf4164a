/* SPDX-License-Identifier: ISC */
#include "store/admin.h"

#include "base/date.h"
#include "base/encode.h"
#include "mail/address.h"

/* A page is full at PAGE_ROWS; what was begun (the story of one recipient) may go a little beyond. */
enum { PAGE_ROWS = 500, ROWS_MAX = PAGE_ROWS + 120, CELLS_MAX = 24, PAGE_OCTETS = 256 << 10 };

/* --- words --- */

str admin_word(const struct admin *x, size_t i)
{
	return i < x->request->words_n ? x->request->words[i].text : STR("");
}

err admin_usage(const char *usage)
{
	return err_note(E_SYNTAX, "say: %s", usage);
}

err admin_address(struct admin *x, str text, struct admin_address *out)
{
	struct address a;
	err e = address_parse(text, true, &a);

	if (e == OK)
		e = address_key(x->arena, &a, &out->local, &out->domain);
	if (e != OK)
		return err_note(E_SYNTAX, STR_FMT ": %s", STR_ARG(text), err_info()->text);
	if (!address_is_plain(out->local))
		return err_note(E_SYNTAX, STR_FMT ": names that need quotes are not supported", STR_ARG(text));
	out->text = arena_printf(x->arena, STR_FMT "@" STR_FMT, STR_ARG(out->local), STR_ARG(out->domain));
	return OK;
}

err admin_our_address(struct admin *x, str text, struct admin_address *out)
{
	err e = admin_address(x, text, out);

	if (e == OK && config_domain_find(x->store->config, out->domain) == NULL)
		return err_note(E_PERM,
		                STR_FMT " is no domain of ours; the configuration would have to say: domain " STR_FMT,
		                STR_ARG(out->domain), STR_ARG(out->domain));
	return e;
}

/* --- rows --- */

bool admin_full(const struct admin *x)
{
	return x->reply->rows_n >= PAGE_ROWS || x->octets >= PAGE_OCTETS;
}

struct row *admin_row(struct admin *x)
{
	struct admin_reply *r = x->reply;

	if (r->rows == NULL)
		r->rows = arena_array(x->arena, ROWS_MAX, sizeof(*r->rows));
	if (r->rows == NULL || r->rows_n == ROWS_MAX)
		return NULL;
	struct row *row = &r->rows[r->rows_n++];
	row->cells = arena_array(x->arena, CELLS_MAX, sizeof(*row->cells));
	return row->cells == NULL ? NULL : row;
}

static void add_cell(struct admin *x, struct row *row, struct cell cell)
{
	if (row == NULL || row->cells_n == CELLS_MAX)
		return;
	row->cells[row->cells_n++] = cell;
	x->octets += cell.name.n + cell.text.n + 8;
}

void admin_str(struct admin *x, struct row *row, const char *name, str value)
{
	add_cell(x, row, (struct cell){.name = str_from(name), .text = arena_str(x->arena, value)});
}

void admin_num(struct admin *x, struct row *row, const char *name, uint64_t value)
{
	add_cell(x, row, (struct cell){.name = str_from(name), .number = value, .is_number = 1});
}

void admin_time(struct admin *x, struct row *row, const char *name, uint64_t usec)
{
	BUF(text, 64);

	date_rfc3339(&text, (int64_t)usec);
	admin_str(x, row, name, buf_str(&text));
}

void admin_id(struct admin *x, struct row *row, const char *name, uint64_t id)
{
	char text[ID_TEXT_MAX];

	admin_str(x, row, name, id_text(id, text));
}

uint64_t admin_resume(const struct admin *x)
{
	uint64_t mark = 0;

	return str_to_u64(x->request->resume, INT64_MAX, &mark) ? mark : 0;
}

void admin_more(struct admin *x, uint64_t mark)
{
	x->reply->more = arena_printf(x->arena, "%llu", (unsigned long long)mark);
}

/* --- where it runs --- */

struct read_work {
	struct admin *admin;
	err (*fn)(struct admin *x, struct db *db);
	err result;
};

static void read_work(void *arg)
{
	struct read_work *w = arg;
	struct readers *readers = w->admin->store->readers;
	struct db *db;

	w->result = readers_take(readers, &db);
	if (w->result != OK)
		return;
	w->result = db_begin_read(db);
	if (w->result == OK)
		w->result = w->fn(w->admin, db);
	db_rollback(db);
	readers_give(readers, db);
}

err admin_read(struct admin *x, err (*fn)(struct admin *x, struct db *db))
{
	struct read_work w = {.admin = x, .fn = fn};

	rt_work(read_work, &w);
	return w.result;
}

struct change_work {
	err (*fn)(struct db *db, void *arg);
	void *arg;
};

static err change_apply(struct writer *w, struct job *job)
{
	const struct change_work *c = job->data;

	return c->fn(writer_db(w), c->arg);
}

err admin_change(struct admin *x, err (*fn)(struct db *db, void *arg), void *arg)
{
	static const struct job_kind kind = {.apply = change_apply, .alone = true};
	struct change_work c = {fn, arg};
	struct job job = {.kind = &kind, .data = &c};

	return writer_do(x->store->writer, &job);
}

/* --- the call --- */

static const struct {
	const char *noun, *verb; /* verb "": the noun is all */
	err (*fn)(struct admin *x);
} verbs[] = {
	{"account", "add", account_add},
	{"account", "list", account_list},
	{"account", "show", account_show},
	{"account", "passwd", account_passwd},
	{"account", "disable", account_disable},
	{"account", "enable", account_enable},
	{"account", "quota", account_quota},
	{"account", "remove", account_remove},
	{"account", "salt", account_salt},
	{"account", "app-password", account_app_password},
	{"account", "certificate", account_certificate},
	{"account", "identity", account_identity},
	{"forward", "list", forward_list},
	{"forward", "set", forward_set},
	{"alias", "add", alias_add},
	{"alias", "list", alias_list},
	{"alias", "remove", alias_remove},
	{"alias", "import", alias_replace},
	{"queue", "list", queue_list},
	{"queue", "show", queue_show},
	{"queue", "retry", queue_retry},
	{"queue", "flush", queue_flush},
	{"queue", "hold", queue_hold},
	{"queue", "release", queue_release},
	{"queue", "fail", queue_fail},
	{"queue", "drop", queue_drop},
	{"quarantine", "list", quarantine_list},
	{"quarantine", "show", quarantine_show},
	{"quarantine", "release", quarantine_release},
	{"quarantine", "drop", quarantine_drop},
	{"mailbox", "list", mailbox_list},
	{"mailbox", "show", mailbox_show},
	{"mailbox", "move", mailbox_move},
	{"spam", "learn", spam_learn},
	{"spam", "words", spam_words},
	{"spam", "known", spam_known},
	{"spam", "status", spam_status},
	{"explain", "", admin_explain},
	{"reports", "", admin_reports},
	{"trace", "", admin_trace},
	{"balance", "", admin_balance},
	{"store", "verify", admin_verify},
	{"store", "compact", admin_compact},
	{"store", "stats", admin_stats},
};

err store_admin(struct store *s, const struct admin_request *q, struct admin_reply *r, struct arena *a)
{
	struct admin x = {.store = s, .request = q, .reply = r, .arena = a};
	err e = store_enter(s);

	if (e != OK)
		return e;
	e = err_note(E_SYNTAX, "there is no command " STR_FMT " " STR_FMT, STR_ARG(admin_word(&x, 0)),
	             STR_ARG(admin_word(&x, 1)));
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		bool verb = verbs[i].verb[0] == '\0' || str_equal(admin_word(&x, 1), str_from(verbs[i].verb));

		if (verb && str_equal(admin_word(&x, 0), str_from(verbs[i].noun))) {
			e = verbs[i].fn(&x);
			break;
		}
	}
	store_leave(s);
	return e == OK && a->full ? err_note(E_LIMIT, "the answer is too large") : e;
}
