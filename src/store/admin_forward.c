/* SPDX-License-Identifier: ISC */
/* forward: how the monitor tells what is in users' .forward files. No command of the command line: the file is the place to change it. */
#include "base/log.h"
#include "mail/forward.h"
#include "store/admin.h"

enum { LIST_ROWS = 100 };

/* --- list --- */

static void list_row(struct admin *x, str local, uint64_t account, uint64_t forwards)
{
	struct row *row = admin_row(x);

	admin_str(x, row, "name", local);
	admin_num(x, row, "account", account);
	admin_num(x, row, "forwards", forwards);
}

/* Accounts of a domain by their names; `more` is the last one. */
static err list_read(struct admin *x, struct db *db)
{
	struct query q = db_query(
		db, "SELECT local, id, forwards FROM account WHERE domain = ? AND local > ? ORDER BY local LIMIT 101");
	str last = STR_NONE;

	query_put_str(&q, admin_word(x, 2));
	query_put_str(&q, x->request->resume);
	while (query_row(&q)) {
		if (x->reply->rows_n == LIST_ROWS) {
			x->reply->more = last;
			break;
		}
		last = arena_str(x->arena, query_str(&q));
		uint64_t account = query_num(&q);
		list_row(x, last, account, query_num(&q));
	}
	return query_end(&q);
}

err forward_list(struct admin *x)
{
	return x->request->words_n != 3 ? admin_usage("forward list DOMAIN") : admin_read(x, list_read);
}

/* --- set --- */

struct forward_change {
	struct admin_address address;
	uint64_t account;
	str targets[FORWARD_TARGETS_MAX];
	size_t n;
};

static err read_words(struct admin *x, struct forward_change *c)
{
	if (x->request->words_n < 3 || x->request->words_n > 3 + FORWARD_TARGETS_MAX)
		return admin_usage("forward set ADDRESS [TARGET...], at most 100");
	err e = admin_address(x, admin_word(x, 2), &c->address);
	for (size_t i = 3; i < x->request->words_n && e == OK; i++) {
		struct admin_address target;

		e = admin_address(x, admin_word(x, i), &target);
		c->targets[c->n++] = target.text;
	}
	return e;
}

static err find_account(struct db *db, struct forward_change *c)
{
	struct query q = db_query(db, "SELECT id FROM account WHERE domain = ? AND local = ?");
	bool found = false;

	query_put_str(&q, c->address.domain);
	query_put_str(&q, c->address.local);
	err e = query_one(&q, &c->account, &found);
	return e == OK && !found ? err_note(E_NOT_FOUND, "there is no account " STR_FMT, STR_ARG(c->address.text)) : e;
}

static err drop_targets(struct db *db, const struct forward_change *c)
{
	struct query q = db_query(db, "DELETE FROM forward WHERE account = ?");

	query_put_num(&q, c->account);
	return query_run(&q);
}

static err add_target(struct db *db, const struct forward_change *c, str target)
{
	struct query q = db_query(db, "INSERT INTO forward (account, target) VALUES (?, ?) ON CONFLICT DO NOTHING");

	query_put_num(&q, c->account);
	query_put_str(&q, target);
	return query_run(&q);
}

static err mark_account(struct db *db, const struct forward_change *c)
{
	struct query q = db_query(db, "UPDATE account SET forwards = ? WHERE id = ?");

	query_put_num(&q, c->n > 0);
	query_put_num(&q, c->account);
	return query_run(&q);
}

static err set_apply(struct db *db, void *arg)
{
	struct forward_change *c = arg;
	err e = find_account(db, c);

	if (e == OK)
		e = drop_targets(db, c);
	for (size_t i = 0; i < c->n && e == OK; i++)
		e = add_target(db, c, c->targets[i]);
	return e == OK ? mark_account(db, c) : e;
}

err forward_set(struct admin *x)
{
	struct forward_change c = {0};
	err e = read_words(x, &c);

	if (e == OK)
		e = admin_change(x, set_apply, &c);
	if (e == OK)
		LOG(INFO, "account.forward", LOG_STR("address", c.address.text), LOG_NUM("account", c.account),
		    LOG_NUM("targets", c.n));
	return e;
}
