/* SPDX-License-Identifier: ISC */
/* pombo account identity: what an account may write as though it does not lead to it */
#include "base/log.h"
#include "store/admin.h"

static const char usage[] = "account identity add ADDRESS IDENTITY, list ADDRESS, remove ADDRESS IDENTITY";

struct identity_change {
	struct admin_address address, identity;
	uint64_t account;
	size_t changed;
};

/* "*@domain" is an address too: its local part is what the table says for all. */
static err read_identity(struct admin *x, str text, struct admin_address *out)
{
	err e = admin_address(x, text, out);

	if (e == OK && str_equal(out->local, STR("*")))
		return admin_our_address(x, text, out);
	return e;
}

static err take_words(struct admin *x, struct identity_change *c)
{
	*c = (struct identity_change){0};
	if (x->request->words_n != 5)
		return admin_usage(usage);
	err e = admin_address(x, admin_word(x, 3), &c->address);
	return e == OK ? read_identity(x, admin_word(x, 4), &c->identity) : e;
}

static err find_account(struct db *db, const struct admin_address *address, uint64_t *account)
{
	struct query q = db_query(db, "SELECT id FROM account WHERE domain = ? AND local = ?");
	bool found = false;

	query_put_str(&q, address->domain);
	query_put_str(&q, address->local);
	err e = query_one(&q, account, &found);
	return e == OK && !found ? err_note(E_NOT_FOUND, "there is no account " STR_FMT, STR_ARG(address->text)) : e;
}

static err change_row(struct db *db, const char *literal, struct identity_change *c)
{
	struct query q = db_query(db, literal);

	query_put_num(&q, c->account);
	query_put_str(&q, c->identity.domain);
	query_put_str(&q, c->identity.local);
	err e = query_run(&q);
	c->changed = db_changes(db);
	return e;
}

static err add_apply(struct db *db, void *arg)
{
	struct identity_change *c = arg;
	err e = find_account(db, &c->address, &c->account);

	if (e == OK)
		e = change_row(
			db, "INSERT INTO identity (account, domain, local) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", c);
	if (e == OK && c->changed == 0)
		return err_note(E_EXISTS, STR_FMT " may write as " STR_FMT " already", STR_ARG(c->address.text),
		                STR_ARG(c->identity.text));
	return e;
}

static err remove_apply(struct db *db, void *arg)
{
	struct identity_change *c = arg;
	err e = find_account(db, &c->address, &c->account);

	if (e == OK)
		e = change_row(db, "DELETE FROM identity WHERE account = ? AND domain = ? AND local = ?", c);
	if (e == OK && c->changed == 0)
		return err_note(E_NOT_FOUND, STR_FMT " has no identity " STR_FMT, STR_ARG(c->address.text),
		                STR_ARG(c->identity.text));
	return e;
}

static err change(struct admin *x, err (*apply)(struct db *db, void *arg), const char *event)
{
	struct identity_change c;
	err e = take_words(x, &c);

	if (e == OK)
		e = admin_change(x, apply, &c);
	if (e == OK)
		LOG(INFO, event, LOG_STR("address", c.address.text), LOG_NUM("account", c.account),
		    LOG_STR("identity", c.identity.text));
	return e;
}

static err list_read(struct admin *x, struct db *db)
{
	struct query q =
		db_query(db, "SELECT local || '@' || domain FROM identity WHERE account = ? ORDER BY domain, local"
	                     " LIMIT 501 OFFSET ?");
	struct admin_address address;
	uint64_t account = 0, at = admin_resume(x);
	err e = admin_address(x, admin_word(x, 3), &address);

	if (e == OK)
		e = find_account(db, &address, &account);
	if (e != OK)
		return e;
	query_put_num(&q, account);
	query_put_num(&q, at);
	while (query_row(&q)) {
		if (admin_full(x)) {
			admin_more(x, at);
			break;
		}
		admin_str(x, admin_row(x), "identity", query_str(&q));
		at++;
	}
	return query_end(&q);
}

err account_identity(struct admin *x)
{
	str verb = admin_word(x, 2);

	if (str_equal(verb, STR("add")))
		return change(x, add_apply, "account.identity.add");
	if (str_equal(verb, STR("remove")))
		return change(x, remove_apply, "account.identity.remove");
	if (str_equal(verb, STR("list")) && x->request->words_n == 4)
		return admin_read(x, list_read);
	return admin_usage(usage);
}
