/* SPDX-License-Identifier: ISC */
#include "relay/policy.h"

#include "base/encode.h"
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

/* --- what is counted (RFC 8460) --- */

/* RFC 8460 3, 5.3: reports, and all that goes without regard to policies, are not reported. A static route is nothing that the domain knows of. */
static void begin_session(const struct policy_question *q, const struct relay_host *host, struct relay_policy *p)
{
	if (q->way->hop->kind != HOP_MX || host->nameless || is_relaxed(q))
		return;
	p->session = (struct tls_session){
		.domain = q->way->name, .policy_domain = q->way->name, .receiving_host = host->name};
}

/* What is wrong before there is a connection. */
static void count_failure(const struct policy_question *q, const struct tls_session *session, enum tls_result result,
                          const char *reason)
{
	struct tls_session s = *session;

	s.result = result;
	s.reason = str_from(reason);
	tls_reporting_note(q->relay->reporting, &s);
}

/* RFC 8460 4.5: "3 1 1 1F85...", without memory none. */
static void put_tlsa_session(const struct policy_question *q, str base, const struct dns_tlsa *records, size_t n,
                             struct tls_session *out)
{
	str *lines = arena_array(q->arena, n, sizeof(*lines));
	BUF(line, 64 << 10);

	for (size_t i = 0; i < n && lines != NULL; i++) {
		buf_reset(&line);
		buf_printf(&line, "%d %d %d ", records[i].usage, records[i].selector, records[i].matching);
		hex_encode(&line, records[i].data);
		lines[i] = arena_str(q->arena, buf_str(&line));
	}
	out->type = TLS_POLICY_TLSA;
	out->policy_domain = base;
	out->strings = lines;
	out->strings_n = lines == NULL ? 0 : n;
}

static void put_sts_session(const struct policy_question *q, struct tls_session *out)
{
	static const char *const modes[] = {"none", "testing", "enforce"};
	const struct mta_sts_policy *sts = &q->sts;
	str *lines = arena_array(q->arena, sts->mx_n + 3, sizeof(*lines));

	if (lines == NULL)
		return;
	lines[0] = STR("version: STSv1");
	lines[1] = arena_printf(q->arena, "mode: %s", modes[sts->mode]);
	for (size_t i = 0; i < sts->mx_n; i++)
		lines[i + 2] = arena_printf(q->arena, "mx: " STR_FMT, STR_ARG(sts->mx[i]));
	lines[sts->mx_n + 2] = arena_printf(q->arena, "max_age: %llu", (unsigned long long)sts->max_age);
	out->type = TLS_POLICY_STS;
	out->strings = lines;
	out->strings_n = sts->mx_n + 3;
	out->hosts = sts->mx;
	out->hosts_n = sts->mx_n;
}

static void count_sts_trouble(const struct policy_question *q, const struct tls_session *session)
{
	const struct sts_trouble *trouble = sts_trouble(q->relay, q->way->name);
	struct tls_session s = *session;

	if (trouble == NULL)
		return;
	s.type = TLS_POLICY_STS;
	count_failure(q, &s, trouble->result, trouble->why.text);
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

static err tlsa_take(const struct policy_question *q, str base, const struct dns_tlsa *records, size_t n,
                     struct relay_policy *p)
{
	if (p->session.domain.n > 0)
		put_tlsa_session(q, base, records, n, &p->session);
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
	return answer.security == DNS_SECURE ? tlsa_take(q, base, records, n, p) : E_NOT_FOUND;
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

static err tlsa_failed(const struct policy_question *q, const struct relay_policy *p, str base, err e)
{
	struct tls_session s = p->session;

	if (e == E_NOT_FOUND)
		return OK;
	s.type = TLS_POLICY_TLSA;
	s.policy_domain = base;
	if (e != E_CANCELLED)
		count_failure(q, &s, TLS_RESULT_DNSSEC_INVALID, err_info()->text);
	return e;
}

/* RFC 7672 2.2: none of the records can be used; a connection is then as one without them, but for the encryption. */
static void tlsa_unusable(const struct policy_question *q, const struct relay_host *host, struct relay_policy *p)
{
	count_failure(q, &p->session, TLS_RESULT_TLSA_INVALID, "no record can be used");
	begin_session(q, host, p);
	raise(p, POLICY_ENCRYPTED, "DANE");
}

/* When the way to the host is validated, and so are its records. */
static err ask_dane(const struct policy_question *q, const struct relay_host *host, struct relay_policy *p)
{
	str base;

	if (host->nameless || !q->hosts->secure || !host->secure || is_relaxed(q))
		return OK;
	err e = tlsa_find(q, host, p, &base);
	if (e != OK)
		return tlsa_failed(q, p, base, e);
	if (p->tlsa_n == 0) {
		tlsa_unusable(q, host, p);
		return OK;
	}
	raise(p, POLICY_DANE, "DANE");
	set_names(p, base, q->way->name); /* RFC 7672 3.2.2 */
	return OK;
}

/* --- MTA-STS --- */

static err sts_once(struct policy_question *q, const struct tls_session *session)
{
	if (q->sts_known)
		return OK;
	err e = sts_find(q->relay, q->way->name, q->arena, &q->sts);
	if (e == E_CANCELLED)
		return e;
	q->sts_known = true;
	q->sts_there = e == OK;
	count_sts_trouble(q, session);
	return OK;
}

/* One result for one host: what is seen of it next is not counted. */
static err sts_unnamed(const struct policy_question *q, const struct relay_host *host, struct relay_policy *p)
{
	count_failure(q, &p->session, TLS_RESULT_OTHER, "the policy does not name this host");
	p->session.domain = STR_NONE;
	if (q->sts.mode == MTA_STS_ENFORCE)
		return err_set(E_TEMP, 451, "4.7.5",
		               "The MTA-STS policy of " STR_FMT " does not name the host " STR_FMT,
		               STR_ARG(q->way->name), STR_ARG(host->name));
	LOG(INFO, "relay.sts-testing", LOG_STR("domain", q->way->name), LOG_STR("relay", host->name),
	    LOG_Z("error", "the policy does not name it"));
	return OK;
}

static err ask_sts(struct policy_question *q, const struct relay_host *host, struct relay_policy *p)
{
	if (q->way->hop->kind != HOP_MX || host->nameless || is_relaxed(q))
		return OK;
	err e = sts_once(q, &p->session);
	if (e != OK || !q->sts_there || q->sts.mode == MTA_STS_NONE)
		return e;
	put_sts_session(q, &p->session);
	if (!mta_sts_allows(&q->sts, host->name) && (e = sts_unnamed(q, host, p)) != OK)
		return e;
	if (q->sts.mode == MTA_STS_ENFORCE)
		raise(p, POLICY_NAME, "MTA-STS");
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
	begin_session(q, host, out);
	ask_route(q, out);
	err e = ask_dane(q, host, out);
	if (e == OK && out->level < POLICY_DANE) /* RFC 8461 2: DANE goes first */
		e = ask_sts(q, host, out);
	return e == OK ? ask_message(q, out) : e;
}
