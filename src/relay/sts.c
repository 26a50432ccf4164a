/* SPDX-License-Identifier: ISC */
#include "relay/sts.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "relay/state.h"
#include "relay/web.h"

#define LOOKUP_TIME (30 * NSEC_PER_SEC)
#define FETCH_TIME  (60 * NSEC_PER_SEC) /* RFC 8461 3.3: a minute is suggested */
#define STORE_TIME  (30 * NSEC_PER_SEC)
#define FETCH_PAUSE (300 * NSEC_PER_SEC)   /* RFC 8461 3.3: after a failure, 5 minutes or longer */
#define REFRESH     (86400 * USEC_PER_SEC) /* RFC 8461 3.3: once a day at least */

enum { DOMAINS_MAX = 10000 };

/* One fetch at a time for a domain, and none for a while after one that failed. */
struct sts_domain {
	struct semaphore fetching;
	nsec not_before;
	size_t users;
	struct sts_trouble trouble; /* of the fetch that failed, while not_before is to come */
};

/* What is kept of a domain. */
struct kept {
	str id;
	int64_t expires;
	struct mta_sts_policy policy;
	bool valid;
};

void sts_cache_init(struct sts_cache *c)
{
	map_init(&c->domains);
}

static bool is_needed(const struct sts_domain *d)
{
	return d->users > 0 || d->not_before > rt_now();
}

static void free_all(struct map *m, bool (*needed)(const struct sts_domain *d))
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(m, &at, &key, &value))
		if (needed == NULL || !needed(value))
			free(value);
	map_free(m);
}

void sts_cache_free(struct sts_cache *c)
{
	free_all(&c->domains, NULL);
}

/* Forgets what is of no use any more; without memory, nothing. */
static void sweep(struct sts_cache *c)
{
	struct map rest;
	size_t at = 0;
	str key;
	void *value;
	err e = OK;

	map_init(&rest);
	while (e == OK && map_next(&c->domains, &at, &key, &value))
		if (is_needed(value))
			e = map_put(&rest, key, value);
	if (e != OK) {
		map_free(&rest);
		return;
	}
	free_all(&c->domains, is_needed);
	c->domains = rest;
}

/* NULL: too many, or no memory. */
static struct sts_domain *domain_use(struct sts_cache *c, str name)
{
	struct sts_domain *d = map_get(&c->domains, name);

	if (d == NULL && c->domains.count >= DOMAINS_MAX)
		sweep(c);
	if (d == NULL && c->domains.count < DOMAINS_MAX && (d = calloc(1, sizeof(*d))) != NULL) {
		semaphore_init(&d->fetching, 1);
		if (map_put(&c->domains, name, d) != OK) {
			free(d);
			return NULL;
		}
	}
	if (d != NULL)
		d->users++;
	return d;
}

/* --- what the store has --- */

static err read_kept(struct relay *r, str domain, struct arena *a, struct kept *out)
{
	struct policy_reply reply;
	err e = call_policy(r->store, &(struct policy_request){.domain = domain}, &reply, a, rt_after(STORE_TIME));

	*out = (struct kept){0};
	if (e != OK)
		return e == E_CANCELLED ? e : OK;
	out->id = reply.id;
	out->expires = (int64_t)reply.expires;
	out->valid =
		reply.text.n > 0 && out->expires > rt_wall() && mta_sts_policy_parse(reply.text, a, &out->policy) == OK;
	return OK;
}

static err keep(struct relay *r, str domain, str id, str text, const struct mta_sts_policy *p, struct arena *a)
{
	struct policy_reply reply;
	int64_t expires = rt_wall() + (int64_t)p->max_age * USEC_PER_SEC;
	err e = call_policy(r->store, &(struct policy_request){domain, id, text, (uint64_t)expires}, &reply, a,
	                    rt_after(STORE_TIME));

	return e == E_CANCELLED ? e : OK; /* it holds for this message all the same */
}

/* --- what the domain has --- */

/* The record's id. E_NOT_FOUND: there is none. */
static err find_id(struct relay *r, str domain, struct arena *a, str *id)
{
	struct dns_answer answer;
	str name = arena_printf(a, "_mta-sts." STR_FMT, STR_ARG(domain)), *txt;
	size_t n;
	err e = dns_txt(&r->resolver, name, a, rt_after(LOOKUP_TIME), &answer, &txt, &n);

	if (e == OK)
		e = mta_sts_record(txt, n, id);
	return e == OK || e == E_CANCELLED ? e : E_NOT_FOUND;
}

static err fetch(struct relay *r, str domain, struct arena *a, str *text)
{
	str host = arena_printf(a, "mta-sts." STR_FMT, STR_ARG(domain));
	struct trust *trust = trust_hold(r->trust);
	struct net_address *addresses;
	size_t n;
	err e = web_addresses(r, domain, host, 443, a, rt_after(LOOKUP_TIME), &addresses, &n);

	if (e == OK)
		e = r->fetch(
			&(struct http_request){
				.url = arena_printf(a, "https://" STR_FMT "/.well-known/mta-sts.txt", STR_ARG(host)),
				.addresses = addresses,
				.addresses_n = n,
				.authorities_pem = trust->authorities,
				.content_type = STR("text/plain"),
				.max = MTA_STS_POLICY_MAX},
			text, a, rt_after(FETCH_TIME));
	trust_release(trust);
	return e;
}

static err renew(struct relay *r, str domain, str id, struct arena *a, struct kept *kept, struct sts_trouble *trouble)
{
	struct mta_sts_policy fresh;
	str text = STR_NONE;
	err e = fetch(r, domain, a, &text);

	trouble->result = e == E_DENIED ? TLS_RESULT_STS_WEBPKI : TLS_RESULT_STS_FETCH;
	if (e == OK) {
		trouble->result = TLS_RESULT_STS_INVALID;
		e = mta_sts_policy_parse(text, a, &fresh);
	}
	if (e == OK) {
		*kept = (struct kept){id, 0, fresh, true};
		return keep(r, domain, id, text, &fresh, a);
	}
	if (e != E_CANCELLED)
		LOG(INFO, "relay.sts-fetch", LOG_STR("domain", domain), LOG_Z("error", err_info()->text));
	trouble->why = *err_info();
	return e;
}

/* RFC 8461 5.1: the policy of this id was not fetched, or was fetched long ago. */
static bool is_stale(const struct kept *k, str id)
{
	int64_t fetched = k->expires - (int64_t)k->policy.max_age * USEC_PER_SEC;

	return !k->valid || !str_equal(k->id, id) || fetched + REFRESH < rt_wall();
}

/* Somebody may have fetched it while we waited for our turn. */
static err renew_once(struct relay *r, struct sts_domain *d, str domain, str id, struct arena *a, struct kept *kept)
{
	err e = semaphore_take(&d->fetching, RT_NEVER);

	if (e != OK)
		return e;
	e = read_kept(r, domain, a, kept);
	if (e == OK && is_stale(kept, id) && d->not_before <= rt_now()) {
		e = renew(r, domain, id, a, kept, &d->trouble);
		if (e != OK)
			d->not_before = rt_after(FETCH_PAUSE);
	}
	semaphore_give(&d->fetching);
	return e == E_CANCELLED ? e : OK;
}

static err bring_up_to_date(struct relay *r, str domain, str id, struct arena *a, struct kept *kept)
{
	struct sts_domain *d = domain_use(&r->sts, domain);

	if (d == NULL)
		return OK;
	err e = d->not_before > rt_now() ? OK : renew_once(r, d, domain, id, a, kept);
	d->users--;
	return e;
}

err sts_find(struct relay *r, str domain, struct arena *a, struct mta_sts_policy *out)
{
	struct kept kept;
	str id;
	err e = read_kept(r, domain, a, &kept);

	if (e == OK)
		e = find_id(r, domain, a, &id);
	if (e == OK && is_stale(&kept, id))
		e = bring_up_to_date(r, domain, id, a, &kept);
	if (e == E_CANCELLED)
		return e;
	*out = kept.policy;
	return kept.valid ? OK : E_NOT_FOUND;
}

const struct sts_trouble *sts_trouble(const struct relay *r, str domain)
{
	const struct sts_domain *d = map_get(&r->sts.domains, domain);

	return d == NULL || d->not_before <= rt_now() ? NULL : &d->trouble;
}
