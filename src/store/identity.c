/* SPDX-License-Identifier: ISC */
/* What an account may write as. Found as mail for an address finds its way (route.c), but for one step: an alias, or the catch-all of a
 * domain, must name the account itself. Beside these, what the administrator has granted (table `identity`). */
#include "store/identity.h"

#include "mail/address.h"
#include "store/route.h"

enum { ALLOWED_SHOWN = 5 };

struct writer_of {
	struct store *store;
	uint64_t account;
	str address; /* the account's, "" until somebody wants to know it */
	struct arena *arena;
};

static err store_trouble(void)
{
	return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
}

static err read_address(struct writer_of *w)
{
	if (w->address.n > 0)
		return OK;
	struct query q = db_query(w->store->db, "SELECT local || '@' || domain FROM account WHERE id = ?");

	query_put_num(&q, w->account);
	if (query_row(&q))
		w->address = arena_str(w->arena, query_str(&q));
	err e = query_end(&q);
	return e != OK || w->address.n == 0 ? store_trouble() : OK;
}

/* E_NOT_FOUND: there is no such account. E_DENIED: it is somebody else's. */
static err check_account(const struct writer_of *w, str local, str domain)
{
	struct route_target t = {0};
	bool disabled = false;
	err e = route_account(w->store->db, local, domain, &t, &disabled);

	return e == OK && t.account != w->account ? E_DENIED : e;
}

/* The same for an alias. */
static err check_alias(struct writer_of *w, str local, str domain)
{
	uint64_t targets = 0, mine = 0;
	err e = read_address(w);

	if (e != OK)
		return e;
	struct query q =
		db_query(w->store->db, "SELECT count(*), sum(target = ?) FROM alias WHERE domain = ? AND local = ?");
	query_put_str(&q, w->address);
	query_put_str(&q, domain);
	query_put_str(&q, local);
	if (query_row(&q)) {
		targets = query_num(&q);
		mine = query_num(&q);
	}
	if (query_end(&q) != OK)
		return store_trouble();
	return mine > 0 ? OK : targets > 0 ? E_DENIED : E_NOT_FOUND;
}

static err check_exact(struct writer_of *w, str local, str domain)
{
	err e = check_account(w, local, domain);

	return e == E_NOT_FOUND ? check_alias(w, local, domain) : e;
}

static bool is_catchall(const struct writer_of *w, const struct config_domain *d)
{
	return str_equal_nocase(d->catchall, w->address);
}

static err check_local(struct writer_of *w, str local, const struct config_domain *d)
{
	err e = check_exact(w, local, d->name);
	size_t base = route_base(local, w->store->config->plus);

	if (e == E_NOT_FOUND && base < local.n)
		e = check_exact(w, str_take(local, base), d->name);
	if (e == E_NOT_FOUND)
		e = is_catchall(w, d) ? OK : E_DENIED;
	return e;
}

/* Granted by name, or with all of its domain, when that is ours. */
static err check_granted(const struct writer_of *w, str local, str base, str domain)
{
	struct query q = db_query(
		w->store->db, "SELECT 1 FROM identity WHERE account = ? AND domain = ? AND local IN (?, ?, ?) LIMIT 1");
	uint64_t one;
	bool found = false;

	query_put_num(&q, w->account);
	query_put_str(&q, domain);
	query_put_str(&q, local);
	query_put_str(&q, base);
	query_put_str(&q, config_domain_find(w->store->config, domain) != NULL ? STR("*") : local);
	if (query_one(&q, &one, &found) != OK)
		return store_trouble();
	return found ? OK : E_DENIED;
}

/* E_DENIED is not noted. */
static err check_address(struct writer_of *w, str text)
{
	struct address address;
	str local, domain;

	if (address_parse(text, true, &address) != OK || address_key(w->arena, &address, &local, &domain) != OK)
		return E_DENIED;
	const struct config_domain *d = address.literal ? NULL : config_domain_find(w->store->config, domain);
	err e = d == NULL ? E_DENIED : check_local(w, local, d);
	if (e != E_DENIED || address.literal)
		return e;
	/* What stands behind a separator means nothing in a domain that is not ours. */
	str base = d == NULL ? local : str_take(local, route_base(local, w->store->config->plus));
	return check_granted(w, local, base, domain);
}

/* --- what is allowed, for the refusal --- */

static void put_aliases(const struct writer_of *w, struct buf *out)
{
	struct query q = db_query(w->store->db, "SELECT local || '@' || domain FROM alias WHERE target = ?"
	                                        " ORDER BY domain, local LIMIT 6");
	size_t n = 0;

	query_put_str(&q, w->address);
	while (query_row(&q)) {
		buf_puts(out, ", ");
		buf_put(out, ++n > ALLOWED_SHOWN ? STR("...") : query_str(&q));
	}
	(void)!query_end(&q);
}

static void put_granted(const struct writer_of *w, struct buf *out)
{
	struct query q = db_query(w->store->db, "SELECT local || '@' || domain FROM identity WHERE account = ?"
	                                        " ORDER BY domain, local LIMIT 6");
	size_t n = 0;

	query_put_num(&q, w->account);
	while (query_row(&q)) {
		buf_puts(out, ", ");
		buf_put(out, ++n > ALLOWED_SHOWN ? STR("...") : query_str(&q));
	}
	(void)!query_end(&q);
}

static void put_catchalls(const struct writer_of *w, struct buf *out)
{
	const struct config *c = w->store->config;
	size_t n = 0;

	for (size_t i = 0; i < c->domains_n && n <= ALLOWED_SHOWN; i++)
		if (is_catchall(w, &c->domains[i])) {
			buf_puts(out, ++n > ALLOWED_SHOWN ? ", ..." : ", *@");
			buf_put(out, n > ALLOWED_SHOWN ? STR("") : c->domains[i].name);
		}
}

static str refusal(const struct writer_of *w, str address)
{
	BUF(text, 16 << 10);

	buf_puts(&text, "You are not ");
	buf_put(&text, str_take(address, 100));
	buf_puts(&text, "; write as ");
	buf_put(&text, w->address);
	put_aliases(w, &text);
	put_granted(w, &text);
	put_catchalls(w, &text);
	return arena_str(w->arena, buf_str(&text));
}

err identity_check(struct store *s, uint64_t account, str address, struct arena *a)
{
	struct writer_of w = {.store = s, .account = account, .arena = a};
	err e = check_address(&w, address);

	if (e != E_DENIED)
		return e;
	e = read_address(&w);
	if (e != OK)
		return e;
	str text = refusal(&w, address);
	return err_set(E_DENIED, 550, "5.7.1", STR_FMT, STR_ARG(text));
}
