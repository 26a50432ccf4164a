/* SPDX-License-Identifier: ISC */
/* pombo account */
#include "base/date.h"
#include "base/log.h"
#include "store/admin.h"
#include "store/credential.h"
#include "store/expunge.h"
#include "store/route.h"
#include "store/schema.h"

enum { EXPUNGE_PAGE = 10000 };

struct account_change {
	struct admin_address address;
	str password; /* lines of credential_compute */
	uint64_t number, now;
	uint64_t account; /* what was found */
};

static err address_word(struct admin *x, struct account_change *c, const char *usage)
{
	*c = (struct account_change){.password = x->request->secret, .now = (uint64_t)rt_wall()};
	if (x->request->words_n < 3)
		return admin_usage(usage);
	return admin_address(x, admin_word(x, 2), &c->address);
}

/* account: 0 when there is none. */
static err find_account(struct db *db, struct account_change *c)
{
	struct query q = db_query(db, "SELECT id FROM account WHERE domain = ? AND local = ?");

	c->account = 0;
	query_put_str(&q, c->address.domain);
	query_put_str(&q, c->address.local);
	return query_one(&q, &c->account, NULL);
}

static err need_account(struct db *db, struct account_change *c)
{
	err e = find_account(db, c);

	if (e == OK && c->account == 0)
		return err_note(E_NOT_FOUND, "there is no account " STR_FMT, STR_ARG(c->address.text));
	return e;
}

static void log_change(const char *event, const struct account_change *c)
{
	LOG(INFO, event, LOG_STR("address", c->address.text), LOG_NUM("account", c->account));
}

/* --- add --- */

static err check_free(struct db *db, struct account_change *c)
{
	struct query q = db_query(db, "SELECT count(*) FROM alias WHERE domain = ? AND local = ?");
	uint64_t aliases = 0;
	err e = find_account(db, c);

	query_put_str(&q, c->address.domain);
	query_put_str(&q, c->address.local);
	if (e == OK)
		e = query_one(&q, &aliases, NULL);
	if (e == OK && c->account != 0)
		return err_note(E_EXISTS, "there is an account " STR_FMT " already", STR_ARG(c->address.text));
	if (e == OK && aliases > 0)
		return err_note(E_EXISTS, STR_FMT " is an alias; remove it first", STR_ARG(c->address.text));
	return e;
}

static err insert_account(struct db *db, struct account_change *c)
{
	struct query q = db_query(db, "INSERT INTO account (id, local, domain, created) VALUES (?, ?, ?, ?)");
	err e = meta_take(db, "next_account", &c->account);

	if (e != OK)
		return e;
	query_put_num(&q, c->account);
	query_put_str(&q, c->address.local);
	query_put_str(&q, c->address.domain);
	query_put_num(&q, c->now);
	return query_run(&q);
}

static err put_password(struct db *db, const struct account_change *c)
{
	struct credential_change password = {.account = c->account, .lines = c->password, .now = c->now};

	return credential_put(db, &password);
}

static err add_apply(struct db *db, void *arg)
{
	struct account_change *c = arg;
	err e = check_free(db, c);

	if (e == OK)
		e = insert_account(db, c);
	if (e == OK)
		e = put_password(db, c);
	return e == OK ? mailbox_add(db, c->account, STR("INBOX"), c->now) : e;
}

err account_add(struct admin *x)
{
	struct account_change c;
	err e = address_word(x, &c, "account add ADDRESS");

	if (e == OK)
		e = admin_our_address(x, admin_word(x, 2), &c.address);
	if (e == OK && c.password.n == 0)
		return err_note(E_SYNTAX, "an account needs a password");
	if (e == OK)
		e = admin_change(x, add_apply, &c);
	if (e == OK)
		log_change("account.add", &c);
	return e;
}

/* --- list, show --- */

static const char list_sql[] = "SELECT a.id, a.local, a.domain, a.disabled, a.quota, a.created, "
			       " EXISTS (SELECT 1 FROM credential WHERE account = a.id AND name = ''),"
			       " (SELECT coalesce(sum(messages), 0) FROM mailbox WHERE account = a.id),"
			       " (SELECT coalesce(sum(octets), 0) FROM mailbox WHERE account = a.id)"
			       " FROM account a WHERE a.id > ? ORDER BY a.id LIMIT 501";
static const char show_sql[] = "SELECT a.id, a.local, a.domain, a.disabled, a.quota, a.created, "
			       " EXISTS (SELECT 1 FROM credential WHERE account = a.id AND name = ''),"
			       " (SELECT coalesce(sum(messages), 0) FROM mailbox WHERE account = a.id),"
			       " (SELECT coalesce(sum(octets), 0) FROM mailbox WHERE account = a.id),"
			       " (SELECT coalesce(group_concat(target, ' '), '') FROM forward WHERE account = a.id)"
			       " FROM account a WHERE a.domain = ? AND a.local = ?";

/* Returns the account's id. */
static uint64_t account_row(struct admin *x, struct row *row, struct query *q)
{
	uint64_t id = query_num(q);
	str local = query_str(q), domain = query_str(q);

	admin_str(x, row, "address", arena_printf(x->arena, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain)));
	admin_str(x, row, "state", query_num(q) != 0 ? STR("disabled") : STR("enabled"));
	admin_num(x, row, "quota", query_num(q));
	admin_time(x, row, "created", query_num(q));
	admin_str(x, row, "password", query_num(q) != 0 ? STR("set") : STR("none"));
	admin_num(x, row, "messages", query_num(q));
	admin_num(x, row, "octets", query_num(q));
	return id;
}

static err list_read(struct admin *x, struct db *db)
{
	struct query q = db_query(db, list_sql);
	uint64_t last = 0;

	query_put_num(&q, admin_resume(x));
	while (query_row(&q)) {
		if (admin_full(x)) {
			admin_more(x, last);
			break;
		}
		last = account_row(x, admin_row(x), &q);
	}
	return query_end(&q);
}

err account_list(struct admin *x)
{
	return admin_read(x, list_read);
}

static err show_read(struct admin *x, struct db *db)
{
	struct query q = db_query(db, show_sql);
	struct admin_address address;
	err e = admin_address(x, admin_word(x, 2), &address);

	if (e != OK)
		return e;
	query_put_str(&q, address.domain);
	query_put_str(&q, address.local);
	bool found = query_row(&q);
	if (found) {
		struct row *row = admin_row(x);

		account_row(x, row, &q);
		admin_str(x, row, "forward", query_str(&q));
	}
	e = query_end(&q);
	return e == OK && !found ? err_note(E_NOT_FOUND, "there is no account " STR_FMT, STR_ARG(address.text)) : e;
}

err account_show(struct admin *x)
{
	return x->request->words_n < 3 ? admin_usage("account show ADDRESS") : admin_read(x, show_read);
}

/* --- passwd, disable, enable, quota --- */

static err passwd_apply(struct db *db, void *arg)
{
	struct account_change *c = arg;
	err e = need_account(db, c);

	return e == OK ? put_password(db, c) : e;
}

err account_passwd(struct admin *x)
{
	struct account_change c;
	err e = address_word(x, &c, "account passwd ADDRESS");

	if (e == OK && c.password.n == 0)
		return err_note(E_SYNTAX, "a password is needed");
	if (e == OK)
		e = admin_change(x, passwd_apply, &c);
	if (e != OK)
		return e;
	sessions_revoke(&x->store->sessions, c.account); /* whoever knew the old one is logged in no longer */
	log_change("account.passwd", &c);
	return OK;
}

static err disable_apply(struct db *db, void *arg)
{
	struct account_change *c = arg;
	struct query q = db_query(db, "UPDATE account SET disabled = ? WHERE id = ?");
	err e = need_account(db, c);

	if (e != OK)
		return e;
	query_put_num(&q, c->number);
	query_put_num(&q, c->account);
	return query_run(&q);
}

static err set_disabled(struct admin *x, bool disabled)
{
	struct account_change c;
	err e = address_word(x, &c, disabled ? "account disable ADDRESS" : "account enable ADDRESS");

	c.number = disabled;
	if (e == OK)
		e = admin_change(x, disable_apply, &c);
	if (e != OK)
		return e;
	if (disabled)
		sessions_revoke(&x->store->sessions, c.account);
	log_change(disabled ? "account.disable" : "account.enable", &c);
	return OK;
}

err account_disable(struct admin *x)
{
	return set_disabled(x, true);
}

err account_enable(struct admin *x)
{
	return set_disabled(x, false);
}

static err quota_apply(struct db *db, void *arg)
{
	struct account_change *c = arg;
	struct query q = db_query(db, "UPDATE account SET quota = ? WHERE id = ?");
	err e = need_account(db, c);

	if (e != OK)
		return e;
	query_put_num(&q, c->number);
	query_put_num(&q, c->account);
	return query_run(&q);
}

err account_quota(struct admin *x)
{
	static const char usage[] = "account quota ADDRESS OCTETS (0: as the configuration says)";
	struct account_change c;
	err e = address_word(x, &c, usage);

	if (e == OK && !str_to_u64(admin_word(x, 3), INT64_MAX, &c.number))
		return admin_usage(usage);
	if (e == OK)
		e = admin_change(x, quota_apply, &c);
	if (e == OK)
		log_change("account.quota", &c);
	return e;
}

/* --- remove --- */

static err count_messages(struct db *db, uint64_t account, uint64_t *n)
{
	struct query q = db_query(db, "SELECT coalesce(sum(messages), 0) FROM mailbox WHERE account = ?");

	query_put_num(&q, account);
	return query_one(&q, n, NULL);
}

/* Without mail it goes at once; with mail it is only disabled first (when that is wanted), so that nothing new arrives. number: force. */
static err remove_begin(struct db *db, void *arg)
{
	struct account_change *c = arg;
	uint64_t messages = 0, force = c->number;
	err e = need_account(db, c);

	if (e == OK)
		e = count_messages(db, c->account, &messages);
	if (e == OK && messages > 0 && force == 0)
		return err_note(E_BUSY, STR_FMT " has %llu messages; add the word force to delete them",
		                STR_ARG(c->address.text), (unsigned long long)messages);
	c->number = 1;
	return e == OK ? disable_apply(db, c) : e;
}

struct removal {
	uint64_t account, mailbox;
	struct uid *uids;
	size_t n;
};

static err next_items(struct db *db, void *arg)
{
	struct removal *r = arg;
	struct query q = db_query(
		db, "SELECT i.mailbox, i.uid FROM mailbox m JOIN item i ON i.mailbox = m.id WHERE m.account = ?"
		    " ORDER BY i.mailbox, i.uid LIMIT ?");

	r->n = 0;
	query_put_num(&q, r->account);
	query_put_num(&q, EXPUNGE_PAGE);
	while (r->n < EXPUNGE_PAGE && query_row(&q)) {
		uint64_t mailbox = query_num(&q);

		if (r->n == 0)
			r->mailbox = mailbox;
		if (mailbox != r->mailbox)
			break;
		r->uids[r->n++].uid = query_num(&q);
	}
	return query_end(&q);
}

static err expunge_all(struct admin *x, uint64_t account)
{
	struct removal r = {.account = account, .uids = arena_array(x->arena, EXPUNGE_PAGE, sizeof(*r.uids))};
	err e = r.uids == NULL ? err_note(E_MEMORY, "no memory to remove an account") : admin_change(x, next_items, &r);

	while (e == OK && r.n > 0) {
		e = expunge(x->store, r.mailbox, r.uids, r.n);
		if (e == OK)
			e = admin_change(x, next_items, &r);
	}
	return e;
}

static err remove_rows(struct db *db, uint64_t account)
{
	static const char *const statements[] = {
		"DELETE FROM change WHERE mailbox IN (SELECT id FROM mailbox WHERE account = ?)",
		"DELETE FROM mailbox WHERE account = ?",
		"DELETE FROM credential WHERE account = ?",
		"DELETE FROM identity WHERE account = ?",
		"DELETE FROM login_network WHERE account = ?",
		"DELETE FROM forward WHERE account = ?",
		"DELETE FROM contact WHERE account = ?",
		"DELETE FROM lesson WHERE account = ?",
		"DELETE FROM token WHERE account = ?",
		"DELETE FROM learned WHERE account = ?",
		"DELETE FROM account WHERE id = ?",
	};
	err e = OK;

	for (size_t i = 0; i < ARRAY_LEN(statements) && e == OK; i++) {
		struct query q = db_query(db, statements[i]);

		query_put_num(&q, account);
		e = query_run(&q);
	}
	return e;
}

static err remove_apply(struct db *db, void *arg)
{
	const struct account_change *c = arg;
	uint64_t messages = 0;
	err e = count_messages(db, c->account, &messages);

	if (e == OK && messages > 0)
		return err_note(E_BUSY, STR_FMT " still gets mail; try again", STR_ARG(c->address.text));
	return e == OK ? remove_rows(db, c->account) : e;
}

err account_remove(struct admin *x)
{
	struct account_change c;
	err e = address_word(x, &c, "account remove ADDRESS [force]");

	c.number = str_equal(admin_word(x, 3), STR("force"));
	if (e == OK)
		e = admin_change(x, remove_begin, &c);
	if (e != OK)
		return e;
	sessions_revoke(&x->store->sessions, c.account);
	e = expunge_all(x, c.account);
	if (e == OK)
		e = admin_change(x, remove_apply, &c);
	if (e == OK)
		log_change("account.remove", &c);
	return e;
}
