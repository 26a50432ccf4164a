/* SPDX-License-Identifier: ISC */
#include "relay/policy.h"

#include "base/log.h"

#define LOOKUP_TIME (30 * NSEC_PER_SEC)

static const struct config_route no_route; /* of inner servers: what it asks for is nothing */

static const struct config_route *route_of(const struct policy_question *q)
{
	return q->way->route == NULL ? &no_route : q->way->route;
}

static bool requires_tls(const struct policy_question *q)
{
	return (q->flags & MESSAGE_REQUIRE_TLS) != 0;
}

/* RFC 8689 5: the sender would rather have it delivered than secured. REQUIRETLS is more than that. */
static bool is_relaxed(const struct policy_question *q)
{
	return (q->flags & MESSAGE_TLS_OPTIONAL) != 0 && !requires_tls(q);
}

static void raise(struct relay_policy *p, enum policy_level level, const char *by)
{
	if (p->level >= level)
		return;
	p->level = level;
	p->by = by;
}

static void set_names(struct relay_policy *p, str first, str second)
{
	p->server_name = first;
	p->names[0] = first;
	p->names[1] = second;
	p->names_n = second.n > 0 && !str_equal(first, second) ? 2 : 1;
}

/* --- DANE --- */

/* RFC 7672 3.1: usages 0 and 1 are of no use to SMTP. */
static bool is_usable(const struct dns_tlsa *t)
{
	static const size_t lengths[] = {0, 32, 64}; /* of digests */

	if (t->usage < 2 || t->usage > 3 || t->selector > 1 || t->matching > 2)
		return false;
	return t->matching == 0 ? t->data.n > 0 : t->data.n == lengths[t->matching];
}

static err tlsa_take(const struct policy_question *q, const struct dns_tlsa *records, size_t n, struct relay_policy *p)
{
	p->tlsa = arena_array(q->arena, n, sizeof(*p->tlsa));
	if (p->tlsa == NULL)
		return err_set(E_TEMP, 451, "4.3.0", "No memory for TLSA records");
	for (size_t i = 0; i < n; i++)
		if (is_usable(&records[i]))
			p->tlsa[p->tlsa_n++] = (struct tls_tlsa){records[i].usage, records[i].selector,
			                                         records[i].matching, records[i].data};
	return OK;
}

/* OK: secure records are there. E_NOT_FOUND. E_TEMP: not to be known now, and whoever hides them could be anybody (RFC 7672 2.1.1). */
static err tlsa_at(const struct policy_question *q, str base, struct relay_policy *p)
{
	str name = arena_printf(q->arena, "_%u._tcp." STR_FMT, (unsigned)q->way->hop->port, STR_ARG(base));
	struct dns_answer answer = {0};
	struct dns_tlsa *records;
	size_t n;
	err e = dns_tlsa(&q->relay->resolver, name, q->arena, rt_after(LOOKUP_TIME), &answer, &records, &n);

	if (e == E_NOT_FOUND || e == E_CANCELLED)
		return e;
	if (e != OK) {
		struct err_info why = *err_info();
		return err_set(E_TEMP, 451, e == E_DENIED ? "4.7.5" : "4.4.3", "TLSA records: %s", why.text);
	}
	return answer.security == DNS_SECURE ? tlsa_take(q, records, n, p) : E_NOT_FOUND;
}

/* RFC 7672 2.2.2: with a CNAME, at the name that it leads to, and else at the name itself. */
static err tlsa_find(const struct policy_question *q, const struct relay_host *host, struct relay_policy *p, str *base)
{
	err e = E_NOT_FOUND;

	*base = host->canonical;
	if (host->canonical.n > 0)
		e = tlsa_at(q, host->canonical, p);
	if (e == E_NOT_FOUND && !str_equal(host->canonical, host->name)) {
		*base = host->name;
		e = tlsa_at(q, host->name, p);
	}
	return e;
}

/* When the way to the host is validated, and so are its records. */
static err ask_dane(const struct policy_question *q, const struct relay_host *host, struct relay_policy *p)
{
	str base;

	if (host->nameless || !q->hosts->secure || !host->secure || is_relaxed(q))
		return OK;
	err e = tlsa_find(q, host, p, &base);
	if (e != OK)
		return e == E_NOT_FOUND ? OK : e;
	raise(p, p->tlsa_n > 0 ? POLICY_DANE : POLICY_ENCRYPTED, "DANE"); /* RFC 7672 2.2: none that is usable */
	if (p->tlsa_n > 0)
		set_names(p, base, q->way->name); /* RFC 7672 3.2.2 */
	return OK;
}

/* --- MTA-STS --- */

static err sts_once(struct policy_question *q)
{
	if (q->sts_known)
		return OK;
	err e = sts_find(q->relay, q->way->name, q->arena, &q->sts);
	if (e == E_CANCELLED)
		return e;
	q->sts_known = true;
	q->sts_there = e == OK;
	return OK;
}

static err ask_sts(struct policy_question *q, const struct relay_host *host, struct relay_policy *p)
{
	if (q->way->hop->kind != HOP_MX || host->nameless || is_relaxed(q))
		return OK;
	err e = sts_once(q);
	if (e != OK || !q->sts_there || q->sts.mode == MTA_STS_NONE)
		return e;
	bool allowed = mta_sts_allows(&q->sts, host->name);
	if (q->sts.mode == MTA_STS_ENFORCE && !allowed)
		return err_set(E_TEMP, 451, "4.7.5",
		               "The MTA-STS policy of " STR_FMT " does not name the host " STR_FMT,
		               STR_ARG(q->way->name), STR_ARG(host->name));
	if (q->sts.mode == MTA_STS_ENFORCE)
		raise(p, POLICY_NAME, "MTA-STS");
	else if (!allowed)
		LOG(INFO, "relay.sts-testing", LOG_STR("domain", q->way->name), LOG_STR("relay", host->name),
		    LOG_Z("error", "the policy does not name it"));
	p->testing = q->sts.mode == MTA_STS_TESTING && p->level < POLICY_NAME;
	return OK;
}

/* --- all together --- */

static void ask_route(const struct policy_question *q, struct relay_policy *p)
{
	enum hop_tls tls = route_of(q)->tls;
	/* A password: whoever is in between would be told it. That it may be told to any certificate has to be said. */
	bool login = tls == HOP_TLS_AUTO && route_of(q)->user.n > 0;

	p->implicit = q->way->hop->kind == HOP_SMTPS;
	if (p->implicit || tls == HOP_TLS_REQUIRED)
		raise(p, POLICY_ENCRYPTED, "the route");
	if (tls == HOP_TLS_VERIFIED || login)
		raise(p, POLICY_NAME, "the route");
}

/* RFC 8689 4.2.1: the server is the right one (DNSSEC, MTA-STS, or configured), and it proves that it is. */
static err ask_message(const struct policy_question *q, struct relay_policy *p)
{
	bool sts = q->sts_there && q->sts.mode == MTA_STS_ENFORCE;

	if (!requires_tls(q))
		return OK;
	p->requiretls = true;
	if (!q->hosts->secure && !sts)
		return err_set(
			E_PERM, 550, "5.7.30",
			"The message requires TLS, and neither DNSSEC nor MTA-STS says what the servers of " STR_FMT
			" are",
			STR_ARG(q->way->name));
	raise(p, POLICY_NAME, "REQUIRETLS");
	return OK;
}

err policy_of_host(struct policy_question *q, const struct relay_host *host, struct relay_policy *out)
{
	bool never = route_of(q)->tls == HOP_TLS_NEVER;

	*out = (struct relay_policy){.level = never ? POLICY_PLAIN : POLICY_MAY, .by = "nobody"};
	set_names(out, host->name, STR_NONE);
	if (host->nameless)
		out->server_name = STR_NONE;
	if (never && requires_tls(q))
		return err_set(E_PERM, 550, "5.7.30", "The message requires TLS, and the route forbids it");
	if (never)
		return OK;
	ask_route(q, out);
	err e = ask_dane(q, host, out);
	if (e == OK && out->level < POLICY_DANE) /* RFC 8461 2: DANE goes first */
		e = ask_sts(q, host, out);
	return e == OK ? ask_message(q, out) : e;
}
