/* SPDX-License-Identifier: ISC */
/* What concerns the configuration as a whole: defaults, what is missing, what does not go together. */
#include "conf/reader.h"

#include <stdlib.h>
#include <unistd.h>

#include "conf/relay.h"

static const struct token whole_file = {.line = 1, .column = 1};

static int domain_order(const void *a, const void *b)
{
	const struct config_domain *const *x = a, *const *y = b;

	return str_compare((*x)->name, (*y)->name);
}

/* So that one among thousands is found at once. */
static void domains_sort(struct reader *r)
{
	struct config *c = r->config;

	c->domains_by_name = arena_array(&c->arena, c->domains_n, sizeof(struct config_domain *));
	if (c->domains_by_name == NULL)
		return;
	for (size_t i = 0; i < c->domains_n; i++)
		c->domains_by_name[i] = &c->domains[i];
	qsort(c->domains_by_name, c->domains_n, sizeof(struct config_domain *), domain_order);
}

static bool was_set(const struct reader *r, const struct setting *s)
{
	return strcmp(s->name, "domain") == 0 ? r->config->domains_n > 0 : map_get(&r->seen, str_from(s->name)) != NULL;
}

static void check_required(struct reader *r)
{
	for (const struct setting *s = schema; s != NULL; s = schema_after(s)) {
		/* Without a version the first statement was a fault already, unless there is none. */
		bool told = strcmp(s->name, "version") == 0 && r->versioned;
		if ((s->flags & SETTING_REQUIRED) != 0 && !told && !was_set(r, s))
			reader_fault_in(r, r->config->file.p, &whole_file, "%s is missing: %s %s", s->name, s->name,
			                s->type->grammar);
	}
}

static void check_catchalls(struct reader *r)
{
	for (const struct catchall_use *u = r->catchalls; u != NULL; u = u->next)
		if (config_domain_find(r->config, u->domain) == NULL)
			reader_fault_in(r, u->file, &u->token, STR_FMT " is in none of our domains",
			                STR_ARG(u->address));
}

static void check_unix_users(struct reader *r)
{
	str domain = r->config->unix_users;

	if (domain.n > 0 && config_domain_find(r->config, domain) == NULL)
		reader_fault_in(r, r->unix_users_file, &r->unix_users, STR_FMT " is none of our domains",
		                STR_ARG(domain));
}

static void check_limits(struct reader *r)
{
	if (r->config->limits.message_size > r->config->limits.body_memory)
		reader_fault_in(r, r->config->file.p, &whole_file, "limit body-memory is less than limit message-size");
}

static void check_certificates(struct reader *r)
{
	size_t n = r->config->certificates_n;

	if (n > 0 && r->config->certificates[n - 1].key.n == 0)
		reader_fault_in(r, r->config->file.p, &whole_file, "the certificate " STR_FMT " has no key",
		                STR_ARG(r->config->certificates[n - 1].certificate));
}

static void oauth_fault(struct reader *r, bool is, const char *what)
{
	if (is)
		reader_fault_in(r, r->config->file.p, &whole_file, "%s", what);
}

static void check_oauth(struct reader *r)
{
	const struct config_oauth *o = &r->config->oauth;
	bool jwks = o->kind == OAUTH_JWKS, introspect = o->kind == OAUTH_INTROSPECT;

	oauth_fault(r, introspect && o->client.n == 0, "oauth introspect needs client ID secret-file FILE");
	oauth_fault(r, introspect && o->issuer.n > 0,
	            "oauth introspect has no issuer: the server that is asked knows it");
	oauth_fault(r, jwks && o->issuer.n == 0, "oauth jwks needs issuer NAME");
	oauth_fault(r, jwks && o->audience.n == 0, "oauth jwks needs audience NAME: tokens for others are not for us");
	oauth_fault(r, jwks && o->client.n > 0, "oauth jwks has no client: nobody is asked");
	oauth_fault(r, jwks && map_get(&r->seen, STR("oauth cache")) != NULL,
	            "oauth jwks has no cache: keys are kept as long as they can be");
}

/* What names a way to an inner server has to fit into its name (relay.h). */
static void check_relays(struct reader *r)
{
	for (size_t i = 0; i < r->config->domains_n; i++) {
		const struct config_domain *d = &r->config->domains[i];
		if (d->relay && d->name.n + d->hop.host.n > DESTINATION_MAX - DESTINATION_BESIDE)
			reader_fault_in(r, r->config->file.p, &whole_file,
			                "the name of " STR_FMT " and that of its server are too long together",
			                STR_ARG(d->name));
	}
}

static bool is_limit(int64_t points)
{
	return points != CONFIG_POINTS_NEVER;
}

static void inherit(int64_t *own, int64_t all)
{
	if (*own == POINTS_UNSET)
		*own = all;
}

/* One that never happens because another is below it is a mistake. */
static void check_order(struct reader *r, str whose, const struct config_thresholds *t)
{
	int64_t lower = is_limit(t->quarantine) ? t->quarantine : t->junk;
	bool quarantine = is_limit(t->quarantine) && is_limit(t->junk) && t->quarantine < t->junk;

	if (quarantine || (is_limit(t->reject) && is_limit(lower) && t->reject < lower))
		reader_fault_in(r, r->config->file.p, &whole_file,
		                STR_FMT ": points have to rise from junk over quarantine to reject", STR_ARG(whose));
}

static void check_thresholds(struct reader *r)
{
	const struct config_thresholds *all = &r->config->spam.thresholds;

	check_order(r, STR("spam"), all);
	for (size_t i = 0; i < r->config->domains_n; i++) {
		struct config_domain *d = &r->config->domains[i];
		inherit(&d->spam.junk, all->junk);
		inherit(&d->spam.quarantine, all->quarantine);
		inherit(&d->spam.reject, all->reject);
		if (memcmp(&d->spam, all, sizeof(*all)) != 0)
			check_order(r, d->name, &d->spam);
	}
}

/* A folder in /run is for root alone to make. */
static void default_listens(struct reader *r)
{
	r->versioned = true;
	if (r->config->listens_n > 0)
		return;
	reader_text(r, "default", STR(SCHEMA_LISTENS));
	if (geteuid() == 0)
		reader_text(r, "default", STR(SCHEMA_LISTEN_LOCAL));
}

static void last_route(struct reader *r)
{
	reader_text(r, "default", STR("route * mx"));
}

void reader_finish(struct reader *r)
{
	domains_sort(r);
	check_required(r);
	check_catchalls(r);
	check_unix_users(r);
	check_limits(r);
	check_certificates(r);
	check_oauth(r);
	check_relays(r);
	check_thresholds(r);
	default_listens(r);
	last_route(r);
	if (r->config->arena.full)
		reader_fault_in(r, r->config->file.p, &whole_file, "too large: out of memory");
}
