/* SPDX-License-Identifier: ISC */
#include "store/route.h"

#include "conf/relay.h"
#include "mail/address.h"
#include "mail/own_domain.h"
#include "mail/srs.h"
#include "rt/rt.h"
#include "store/forward.h"

/* One search. `chain` is the way of aliases that led to an address, so that a circle is seen. */
struct search {
	const struct router *router;
	struct db *db;
	const struct config *config;
	struct arena *arena;
	struct route *out;
	size_t steps; /* addresses that were looked at: a few aliases can lead to few targets by millions of ways */
	struct forwarded *forwarded; /* the accounts whose forwarding was followed */
};
struct forwarded {
	uint64_t account;
	struct forwarded *next;
};
struct chain {
	str local, domain;
	const struct chain *from;
	unsigned depth;
};

static err resolve(struct search *s, str address, const struct chain *from);

/* The array `old` of `n` items when it has room for one more, else a larger copy; NULL: no memory. */
static void *grow(struct arena *a, void *old, size_t n, size_t *size, size_t item)
{
	if (n < *size)
		return old;
	*size = *size == 0 ? 2 : *size * 4;
	void *p = arena_array(a, *size, item);
	if (p != NULL && n > 0)
		memcpy(p, old, n * item);
	return p;
}

/* --- what the client is told --- */

static err too_many(void)
{
	return err_set(E_LIMIT, 452, "4.5.3", "This address stands for too many recipients");
}

static err store_trouble(void)
{
	return err_set(E_TEMP, 451, "4.3.0", "The mail store has a temporary problem; try again later");
}

static err unknown(void)
{
	return err_set(E_PERM, 550, "5.1.1", "There is no such mailbox here; check the address");
}

static err relaying(void)
{
	return err_set(E_PERM, 550, "5.7.1", "We do not relay; send it to the server of that domain");
}

err quota_refuse(void)
{
	return err_set(E_FULL, 452, "4.2.2", "The mailbox is full; try again later");
}

/* --- accounts --- */

static const char account_columns[] =
	"SELECT a.id, m.id, (SELECT sum(octets) FROM mailbox WHERE account = a.id), a.quota, a.forwards, a.disabled"
	" FROM account a JOIN mailbox m ON m.account = a.id AND m.name = 'INBOX'"
	" WHERE a.domain = ? AND a.local = ?";
static const char first_account[] =
	"SELECT a.id, m.id, (SELECT sum(octets) FROM mailbox WHERE account = a.id), a.quota, a.forwards, a.disabled,"
	" a.local, a.domain FROM account a JOIN mailbox m ON m.account = a.id AND m.name = 'INBOX'"
	" WHERE a.disabled = 0 ORDER BY a.id LIMIT 1";

static void read_target(struct query *q, struct route_target *t, bool *disabled)
{
	t->account = query_num(q);
	t->mailbox = query_num(q);
	t->octets = query_num(q);
	t->quota = query_num(q);
	t->forwards = query_num(q) != 0;
	*disabled = query_num(q) != 0;
}

err route_account(struct db *db, str local, str domain, struct route_target *out, bool *disabled)
{
	struct query q = db_query(db, account_columns);

	query_put_str(&q, domain);
	query_put_str(&q, local);
	bool found = query_row(&q);
	if (found)
		read_target(&q, out, disabled);
	err e = query_end(&q);
	if (e != OK)
		return store_trouble();
	return found ? OK : E_NOT_FOUND;
}

static bool is_same(const struct route_target *a, const struct route_target *b)
{
	return a->account == b->account && (a->account != 0 || str_equal(a->address, b->address));
}

static err add_target(struct search *s, const struct route_target *t)
{
	struct route *r = s->out;

	for (size_t i = 0; i < r->n; i++)
		if (is_same(&r->targets[i], t))
			return OK;
	if (r->n == ROUTE_TARGETS_MAX)
		return too_many();
	r->targets = grow(s->arena, r->targets, r->n, &r->size, sizeof(*t));
	if (r->targets == NULL)
		return store_trouble();
	r->targets[r->n++] = *t;
	return OK;
}

/* Follows forwarding once for each account: a second way to it leads nowhere new. False: it is to be followed now. */
static bool was_forwarded(struct search *s, uint64_t account)
{
	for (const struct forwarded *f = s->forwarded; f != NULL; f = f->next)
		if (f->account == account)
			return true;
	struct forwarded *here = arena_alloc(s->arena, sizeof(*here));
	if (here == NULL)
		return false;
	*here = (struct forwarded){account, s->forwarded};
	s->forwarded = here;
	return false;
}

/* All that goes wrong with what a user wrote leaves the mail in the mailbox: a sender is not to blame for it. */
static err to_forward(struct search *s, const struct route_target *t, const struct chain *here)
{
	struct forward_targets targets;
	err e = OK;

	if (was_forwarded(s, t->account))
		return OK;
	if (forward_targets(s->db, t->account, s->arena, &targets) != OK)
		return store_trouble();
	bool keep = targets.n == 0;
	for (size_t i = 0; i < targets.n && e == OK; i++)
		if (resolve(s, targets.address[i], here) != OK) {
			e = err_info()->reply / 100 == 4 ? err_info()->code : OK;
			keep = true;
		}
	return e == OK && keep ? add_target(s, t) : e;
}

/* An account that its own forwarding leads to again is its mailbox: so a user keeps a copy, and so two end who forward to each other. */
static bool forwards_on(const struct search *s, const struct route_target *t, const struct chain *here)
{
	if (!t->forwards || here->depth >= ROUTE_DEPTH_MAX || !str_equal(here->domain, s->config->unix_users))
		return false;
	for (const struct chain *c = here->from; c != NULL; c = c->from)
		if (str_equal(c->local, here->local) && str_equal(c->domain, here->domain))
			return false;
	return true;
}

static err to_account(struct search *s, str local, str domain, const struct chain *from)
{
	const struct chain here = {local, domain, from, from == NULL ? 1 : from->depth + 1};
	struct route_target t = {0};
	bool disabled = false;
	err e = route_account(s->db, local, domain, &t, &disabled);

	if (e != OK)
		return e;
	if (disabled)
		return err_set(E_PERM, 550, "5.2.1", "This mailbox takes no mail");
	t.address = arena_printf(s->arena, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	return forwards_on(s, &t, &here) ? to_forward(s, &t, &here) : add_target(s, &t);
}

/* RFC 5321 4.5.1: postmaster must always be there. Nobody of that name: whoever came first. */
static err to_first_account(struct search *s)
{
	struct query q = db_query(s->db, first_account);
	struct route_target t = {0};
	bool disabled = false, found = query_row(&q);

	if (found) {
		read_target(&q, &t, &disabled);
		str local = query_str(&q), domain = query_str(&q);
		t.address = arena_printf(s->arena, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	}
	if (query_end(&q) != OK)
		return store_trouble();
	if (!found)
		return err_set(E_TEMP, 451, "4.3.0", "Nobody has a mailbox here yet; try again later");
	return add_target(s, &t);
}

/* --- other servers --- */

static err find_alias(struct search *s, str local, str domain)
{
	struct query q = db_query(s->db, "SELECT 1 FROM alias WHERE domain = ? AND local = ?");

	query_put_str(&q, domain);
	query_put_str(&q, local);
	bool found = query_row(&q);
	err e = query_end(&q);
	if (e != OK)
		return store_trouble();
	return found ? OK : E_NOT_FOUND;
}

/* aliases(5): who looks after a list, owner-LIST, hears what becomes of its mail; the list that was gone through last counts. E_NOT_FOUND: none has one. */
static err owner_of(struct search *s, const struct chain *from, str *out)
{
	for (const struct chain *c = from; c != NULL; c = c->from) {
		str owner = arena_printf(s->arena, "owner-" STR_FMT, STR_ARG(c->local));
		err e = find_alias(s, owner, c->domain);

		*out = arena_printf(s->arena, STR_FMT "@" STR_FMT, STR_ARG(owner), STR_ARG(c->domain));
		if (e != E_NOT_FOUND)
			return e;
	}
	return E_NOT_FOUND;
}

/* What an alias of ours sends on would be refused by who checks that we may send for its sender's domain (RFC 7208 10.3): it
 * leaves as from us, and what comes back finds its way. Reports stay from nobody. */
static err find_sender(struct search *s, const struct chain *from, str *out)
{
	*out = s->router->sender;
	if (from == NULL || out->n == 0)
		return OK;
	err e = owner_of(s, from, out);
	if (e != E_NOT_FOUND)
		return e;
	*out = s->router->sender;
	if (own_domain(s->config, *out) == NULL)
		*out = srs_forward(s->router->secret, *out, from->domain, rt_wall(), s->arena);
	return OK;
}

static err to_server(struct search *s, const struct address *address, str domain, str sender, bool forwarded)
{
	BUF(destination, DESTINATION_MAX);
	struct relay_way way = relay_way(s->config, domain, sender);

	relay_destination(&destination, s->config, &way);
	struct route_target t = {
		.address = arena_printf(s->arena, STR_FMT "@" STR_FMT, STR_ARG(address->local), STR_ARG(domain)),
		.destination = arena_str(s->arena, buf_str(&destination)),
		.sender = sender,
		.forwarded = forwarded,
	};
	return destination.full ? store_trouble() : add_target(s, &t);
}

static err to_other(struct search *s, const struct address *address, str domain, const struct chain *from)
{
	str sender;

	if (from == NULL && !s->router->relay)
		return relaying();
	err e = find_sender(s, from, &sender);
	return e == OK ? to_server(s, address, domain, sender, from != NULL) : e;
}

/* To a server behind us, which takes it from us as from whom it came. */
static err to_inner(struct search *s, const struct address *address, str domain, const struct chain *from)
{
	s->out->inner = from == NULL;
	return to_server(s, address, domain, s->router->sender, false);
}

/* --- aliases --- */

struct targets {
	str *address;
	size_t n, size;
};

/* All of them first: the same statement is used for the aliases they lead to. */
static err read_alias(struct search *s, str local, str domain, struct targets *out)
{
	struct query q = db_query(s->db, "SELECT target FROM alias WHERE domain = ? AND local = ?");

	query_put_str(&q, domain);
	query_put_str(&q, local);
	while (query_row(&q) && !s->arena->full && out->n < ROUTE_TARGETS_MAX) {
		out->address = grow(s->arena, out->address, out->n, &out->size, sizeof(str));
		if (out->address != NULL)
			out->address[out->n++] = arena_str(s->arena, query_str(&q));
	}
	err e = query_end(&q);
	if (e != OK || s->arena->full)
		return store_trouble();
	return out->n == 0 ? E_NOT_FOUND : OK;
}

/* One more step of the way. */
static err chain_enter(struct chain *here, str local, str domain, const struct chain *from)
{
	*here = (struct chain){local, domain, from, from == NULL ? 1 : from->depth + 1};
	for (const struct chain *c = from; c != NULL; c = c->from)
		if (str_equal(c->local, local) && str_equal(c->domain, domain))
			return err_set(E_PERM, 550, "5.4.6", "The aliases of this address lead in a circle");
	if (here->depth > ROUTE_DEPTH_MAX)
		return err_set(E_PERM, 550, "5.4.6", "The aliases of this address are nested too deeply");
	return OK;
}

static err to_nowhere(struct search *s, const struct chain *from)
{
	const struct route_target t = {
		.nowhere = true,
		.address = arena_printf(s->arena, STR_FMT "@" STR_FMT, STR_ARG(from->local), STR_ARG(from->domain)),
	};

	return add_target(s, &t);
}

static err to_alias(struct search *s, str local, str domain, const struct chain *from)
{
	struct chain here;
	struct targets targets = {0};
	err e = read_alias(s, local, domain, &targets);

	if (e == OK)
		e = chain_enter(&here, local, domain, from);
	for (size_t i = 0; i < targets.n && e == OK; i++)
		e = str_equal(targets.address[i], STR(ROUTE_NOWHERE)) ? to_nowhere(s, &here)
		                                                      : resolve(s, targets.address[i], &here);
	return e;
}

/* --- an address --- */

static err to_exact(struct search *s, str local, str domain, const struct chain *from)
{
	err e = to_account(s, local, domain, from);

	return e == E_NOT_FOUND ? to_alias(s, local, domain, from) : e;
}

size_t route_base(str local, str separators)
{
	for (size_t i = 1; i < local.n; i++)
		if (str_find(separators, local.p[i]) < separators.n)
			return i;
	return local.n;
}

/* What comes back to the sender of a message that we forwarded goes on to him. */
static err to_srs(struct search *s, str as_written, str local, str domain, const struct chain *from)
{
	struct chain here;
	str sender;
	err e = srs_reverse(s->router->secret, as_written, rt_wall(), &sender, s->arena);

	if (e == E_DENIED)
		return err_set(E_DENIED, 550, "5.7.1", "This return path was not made by us, or is too old");
	if (e != OK)
		return e == E_NOT_FOUND ? e : store_trouble();
	e = chain_enter(&here, local, domain, from);
	return e == OK ? resolve(s, sender, &here) : e;
}

static err to_catchall(struct search *s, const struct config_domain *d, const struct chain *from)
{
	struct chain here;

	if (d->catchall.n == 0)
		return E_NOT_FOUND;
	err e = chain_enter(&here, STR("*"), d->name, from);
	return e == OK ? resolve(s, d->catchall, &here) : e;
}

/* By its whole name, then without what stands behind a separator. */
static err to_name(struct search *s, str local, str domain, const struct chain *from)
{
	err e = to_exact(s, local, domain, from);
	size_t base = route_base(local, s->config->plus);

	return e == E_NOT_FOUND && base < local.n ? to_exact(s, str_take(local, base), domain, from) : e;
}

static err to_local(struct search *s, const struct address *address, str local, const struct config_domain *d,
                    const struct chain *from)
{
	err e = to_name(s, local, d->name, from);

	if (e == E_NOT_FOUND)
		e = to_srs(s, address->local, local, d->name, from);
	if (d->relay && (e == E_NOT_FOUND || e == E_DENIED)) /* the inner server may make return paths too */
		return to_inner(s, address, d->name, from);
	if (e == E_NOT_FOUND && str_equal(str_take(local, route_base(local, s->config->plus)), STR("postmaster")))
		e = to_first_account(s);
	if (e == E_NOT_FOUND)
		e = to_catchall(s, d, from);
	return e == E_NOT_FOUND ? unknown() : e;
}

/* "postmaster" without a domain: who has that name in one of our domains, else whoever came first. */
static err to_bare_postmaster(struct search *s)
{
	err e = E_NOT_FOUND;

	for (size_t i = 0; i < s->config->domains_n && e == E_NOT_FOUND; i++)
		e = to_exact(s, STR("postmaster"), s->config->domains[i].name, NULL);
	return e == E_NOT_FOUND ? to_first_account(s) : e;
}

static err resolve(struct search *s, str text, const struct chain *from)
{
	struct address address;
	str local, domain;

	if (s->steps++ == ROUTE_STEPS_MAX)
		return too_many();
	if (str_equal_nocase(text, STR("postmaster")))
		return to_bare_postmaster(s);
	err e = address_parse(text, true, &address);
	if (e == OK)
		e = address_key(s->arena, &address, &local, &domain);
	if (e != OK)
		return e;
	const struct config_domain *d = address.literal ? NULL : config_domain_find(s->config, domain);
	return d == NULL ? to_other(s, &address, domain, from) : to_local(s, &address, local, d, from);
}

err route_address(const struct router *r, str address, struct arena *a, struct route *out)
{
	struct search s = {r, r->db, r->config, a, out, 0, NULL};

	*out = (struct route){0};
	err e = resolve(&s, address, NULL);
	return e == OK && a->full ? store_trouble() : e;
}

/* --- quota --- */

bool quota_exceeded(uint64_t quota, uint64_t octets, uint64_t size)
{
	return quota != 0 && (octets >= quota || size > quota - octets);
}

err route_quota(const struct route *r, const struct config *config, uint64_t size)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct route_target *t = &r->targets[i];

		if (t->mailbox != 0 && quota_exceeded(t->quota != 0 ? t->quota : config->quota, t->octets, size))
			return quota_refuse();
	}
	return OK;
}
