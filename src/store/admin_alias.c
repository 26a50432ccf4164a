/* SPDX-License-Identifier: ISC */
/* pombo alias */
#include "base/log.h"
#include "store/admin.h"
#include "store/route.h"

struct alias_change {
	struct admin_address address;
	str *targets;
	size_t targets_n, changed;
	const struct config *config;
	str secret;
	struct arena *arena;
};

static err read_target(struct admin *x, str text, struct admin_address *out)
{
	*out = (struct admin_address){.text = STR(ROUTE_NOWHERE)};
	return str_equal(text, STR(ROUTE_NOWHERE)) ? OK : admin_address(x, text, out);
}

/* The alias by `read`; its targets may be anywhere. */
static err read_words(struct admin *x, struct alias_change *c, err (*read)(struct admin *, str, struct admin_address *))
{
	err e = read(x, admin_word(x, 2), &c->address);

	if (e != OK)
		return e;
	c->targets = arena_array(x->arena, x->request->words_n - 3, sizeof(*c->targets));
	if (c->targets == NULL)
		return err_note(E_MEMORY, "no memory for aliases");
	for (size_t i = 3; i < x->request->words_n && e == OK; i++) {
		struct admin_address target;

		e = read_target(x, admin_word(x, i), &target);
		c->targets[c->targets_n++] = target.text;
	}
	return e;
}

/* --- add --- */

static err check_no_account(struct db *db, const struct alias_change *c)
{
	struct route_target t;
	bool disabled;
	err e = route_account(db, c->address.local, c->address.domain, &t, &disabled);

	if (e == OK)
		return err_note(E_EXISTS, STR_FMT " is an account", STR_ARG(c->address.text));
	return e == E_NOT_FOUND ? OK : e;
}

static err insert(struct db *db, const struct alias_change *c, str target)
{
	struct query q = db_query(db, "INSERT INTO alias (domain, local, target) VALUES (?, ?, ?)"
	                              " ON CONFLICT (domain, local, target) DO UPDATE SET file = 0");

	query_put_str(&q, c->address.domain);
	query_put_str(&q, c->address.local);
	query_put_str(&q, target);
	return query_run(&q);
}

/* What cannot get mail is found out now, not by the first message. */
static err check_route(struct db *db, const struct alias_change *c)
{
	struct router router = {.db = db, .config = c->config, .secret = c->secret};
	struct route r;
	err e = route_address(&router, c->address.text, c->arena, &r);

	if (e == OK)
		return OK;
	return err_note(e, STR_FMT " would not get mail: %s", STR_ARG(c->address.text), err_info()->text);
}

static err add_apply(struct db *db, void *arg)
{
	const struct alias_change *c = arg;
	err e = check_no_account(db, c);

	for (size_t i = 0; i < c->targets_n && e == OK; i++)
		e = insert(db, c, c->targets[i]);
	return e == OK ? check_route(db, c) : e;
}

err alias_add(struct admin *x)
{
	struct alias_change c = {.arena = x->arena, .secret = x->store->secret};

	if (x->request->words_n < 4)
		return admin_usage("alias add ADDRESS TARGET...");
	err e = read_words(x, &c, admin_our_address);
	if (e != OK)
		return e;
	struct config *held = config_hold(x->store->config); /* a reload must not take it away meanwhile */
	c.config = held;
	e = admin_change(x, add_apply, &c);
	config_release(held);
	if (e == OK)
		LOG(INFO, "alias.add", LOG_STR("address", c.address.text), LOG_NUM("targets", c.targets_n));
	return e;
}

/* --- import --- */

/* Pairs of words: an alias and one of its targets. Those that would not get mail are told, and kept all the same: what they lead to may come. */
struct alias_import {
	struct admin *admin;
	const struct config *config;
	struct admin_address *pairs; /* an alias, its target, an alias ... */
	size_t n;
};

static err import_words(struct admin *x, struct alias_import *m)
{
	const struct admin_request *q = x->request;
	err e = OK;

	if (q->words_n % 2 != 0)
		return admin_usage("alias import [ADDRESS TARGET]...");
	m->pairs = arena_array(x->arena, q->words_n, sizeof(*m->pairs));
	if (m->pairs == NULL)
		return err_note(E_MEMORY, "no memory for aliases");
	for (size_t i = 2; i < q->words_n && e == OK; i++) {
		e = i % 2 == 0 ? admin_our_address(x, q->words[i].text, &m->pairs[m->n])
		               : read_target(x, q->words[i].text, &m->pairs[m->n]);
		m->n++;
	}
	return e;
}

/* The same made by a command stays that command's. */
static err import_pair(struct db *db, const struct admin_address *alias, str target)
{
	struct query q = db_query(
		db, "INSERT INTO alias (domain, local, target, file) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING");

	query_put_str(&q, alias->domain);
	query_put_str(&q, alias->local);
	query_put_str(&q, target);
	return query_run(&q);
}

static void import_fault(struct alias_import *m, str address, const char *fault)
{
	struct row *row = admin_row(m->admin);

	admin_str(m->admin, row, "address", address);
	admin_str(m->admin, row, "fault", str_from(fault));
}

/* One page of faults is enough: who mends them imports again. */
static err import_check(struct db *db, struct alias_import *m, const struct admin_address *alias)
{
	ARENA(scratch, 4 << 20);
	struct alias_change c = {
		.address = *alias, .config = m->config, .secret = m->admin->store->secret, .arena = &scratch};

	if (admin_full(m->admin))
		return OK;
	err e = check_no_account(db, &c);
	if (e == E_EXISTS)
		import_fault(m, alias->text, "it is an account, which gets the mail");
	else if (e == OK && check_route(db, &c) != OK)
		import_fault(m, alias->text, err_info()->text);
	return e == E_EXISTS ? OK : e;
}

static err import_apply(struct db *db, void *arg)
{
	struct alias_import *m = arg;
	struct query q = db_query(db, "DELETE FROM alias WHERE file = 1");
	err e = query_run(&q);

	for (size_t i = 0; i + 1 < m->n && e == OK; i += 2)
		e = import_pair(db, &m->pairs[i], m->pairs[i + 1].text);
	for (size_t i = 0; i + 1 < m->n && e == OK; i += 2)
		if (i == 0 || !str_equal(m->pairs[i].text, m->pairs[i - 2].text))
			e = import_check(db, m, &m->pairs[i]);
	return e;
}

err alias_replace(struct admin *x)
{
	struct alias_import m = {.admin = x};
	err e = import_words(x, &m);

	if (e != OK)
		return e;
	struct config *held = config_hold(x->store->config);
	m.config = held;
	e = admin_change(x, import_apply, &m);
	config_release(held);
	if (e == OK)
		LOG(INFO, "alias.import", LOG_NUM("pairs", m.n / 2), LOG_NUM("faults", x->reply->rows_n));
	return e;
}

/* --- list --- */

static err list_read(struct admin *x, struct db *db)
{
	struct query q =
		db_query(db, "SELECT local, domain, target, file FROM alias WHERE ? = '' OR local || '@' || domain = ?"
	                     " ORDER BY domain, local, target LIMIT 501 OFFSET ?");
	struct admin_address only = {.text = STR("")};
	uint64_t at = admin_resume(x);
	err e = x->request->words_n > 2 ? admin_address(x, admin_word(x, 2), &only) : OK;

	if (e != OK)
		return e;
	query_put_str(&q, only.text);
	query_put_str(&q, only.text);
	query_put_num(&q, at);
	while (query_row(&q)) {
		if (admin_full(x)) {
			admin_more(x, at);
			break;
		}
		struct row *row = admin_row(x);
		str local = query_str(&q), domain = query_str(&q);
		admin_str(x, row, "address",
		          arena_printf(x->arena, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain)));
		admin_str(x, row, "target", query_str(&q));
		admin_str(x, row, "source", query_num(&q) != 0 ? STR("file") : STR("command"));
		at++;
	}
	return query_end(&q);
}

err alias_list(struct admin *x)
{
	return admin_read(x, list_read);
}

/* --- remove --- */

static err delete (struct db *db, struct alias_change *c, str target)
{
	struct query q = db_query(db, "DELETE FROM alias WHERE domain = ? AND local = ? AND (? = '' OR target = ?)");

	query_put_str(&q, c->address.domain);
	query_put_str(&q, c->address.local);
	query_put_str(&q, target);
	query_put_str(&q, target);
	err e = query_run(&q);
	c->changed += db_changes(db);
	return e;
}

static err remove_apply(struct db *db, void *arg)
{
	struct alias_change *c = arg;
	err e = c->targets_n == 0 ? delete (db, c, STR("")) : OK;

	for (size_t i = 0; i < c->targets_n && e == OK; i++)
		e = delete (db, c, c->targets[i]);
	if (e == OK && c->changed == 0)
		return err_note(E_NOT_FOUND, "there is no such alias " STR_FMT, STR_ARG(c->address.text));
	return e;
}

err alias_remove(struct admin *x)
{
	struct alias_change c = {.arena = x->arena};

	if (x->request->words_n < 3)
		return admin_usage("alias remove ADDRESS [TARGET...]");
	err e = read_words(x, &c, admin_address);
	if (e == OK)
		e = admin_change(x, remove_apply, &c);
	if (e == OK)
		LOG(INFO, "alias.remove", LOG_STR("address", c.address.text), LOG_NUM("targets", c.changed));
	return e;
}
