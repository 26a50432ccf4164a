/* SPDX-License-Identifier: ISC */
#include "mailauth/tls_tally.h"

#include <stdlib.h>

enum {
	MEMORY = 32 << 20,
	DOMAIN_MEMORY = 128 << 10, /* of it: */
	POLICY_MEMORY = 96 << 10,  /* so that there is always room for details */
	NAME_MAX_OCTETS = 255,
	REASON_MAX = 200,
	STRINGS_MAX = 100,
	STRING_MAX = 600
};

/* Failures of one kind. */
struct detail {
	struct detail *next;
	enum tls_result result;
	struct tls_report_failure failure;
};
struct policy {
	struct policy *next;
	enum tls_policy_type type;
	str domain;
	str *strings, *hosts;
	size_t strings_n, hosts_n;
	uint64_t successes, failures;
	struct detail *first, **last;
	size_t details_n;
};
struct domain {
	struct arena memory;
	struct policy *first, **last;
	size_t policies_n;
};

static const char *const type_names[] = {
	[TLS_POLICY_NONE] = "no-policy-found", [TLS_POLICY_STS] = "sts", [TLS_POLICY_TLSA] = "tlsa"};
static const char *const result_names[TLS_RESULT_COUNT] = {
	[TLS_RESULT_SUCCESS] = "",
	[TLS_RESULT_NO_STARTTLS] = "starttls-not-supported",
	[TLS_RESULT_CERTIFICATE_NAME] = "certificate-host-mismatch",
	[TLS_RESULT_CERTIFICATE_EXPIRED] = "certificate-expired",
	[TLS_RESULT_CERTIFICATE_UNTRUSTED] = "certificate-not-trusted",
	[TLS_RESULT_TLSA_INVALID] = "tlsa-invalid",
	[TLS_RESULT_DNSSEC_INVALID] = "dnssec-invalid",
	[TLS_RESULT_STS_FETCH] = "sts-policy-fetch-error",
	[TLS_RESULT_STS_INVALID] = "sts-policy-invalid",
	[TLS_RESULT_STS_WEBPKI] = "sts-webpki-invalid",
	[TLS_RESULT_OTHER] = "validation-failure",
};

void tls_tally_init(struct tls_tally *t)
{
	*t = (struct tls_tally){0};
	map_init(&t->domains);
}

static void domain_free(struct domain *d)
{
	arena_free(&d->memory);
	free(d);
}

void tls_tally_free(struct tls_tally *t)
{
	size_t at = 0;
	str key;
	void *value;

	while (map_next(&t->domains, &at, &key, &value))
		domain_free(value);
	map_free(&t->domains);
}

bool tls_tally_next(const struct tls_tally *t, size_t *at, str *domain)
{
	void *value;

	return map_next(&t->domains, at, domain, &value);
}

void tls_tally_remove(struct tls_tally *t, str domain)
{
	struct domain *d = map_remove(&t->domains, domain);

	if (d != NULL)
		domain_free(d);
}

/* --- counting; NULL: too many, or no memory --- */

static str cut(struct arena *a, str text, size_t max)
{
	return arena_str(a, str_take(text, max));
}

static bool has_room(const struct tls_tally *t)
{
	return t->octets < MEMORY;
}

static struct domain *domain_of(struct tls_tally *t, str name)
{
	struct domain *d = map_get(&t->domains, name);

	if (d != NULL || t->domains.count >= TALLY_DOMAINS_MAX || name.n > NAME_MAX_OCTETS || !has_room(t))
		return d;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->memory = ARENA_INIT(DOMAIN_MEMORY);
	d->last = &d->first;
	if (map_put(&t->domains, name, d) == OK)
		return d;
	domain_free(d);
	return NULL;
}

/* What did not fit says nothing about the next, which may be smaller. */
static bool has_fitted(struct domain *d)
{
	bool fitted = !d->memory.full;

	d->memory.full = false;
	return fitted;
}

/* Compared as they are kept: not more than STRINGS_MAX, each cut. */
static size_t kept(size_t n)
{
	return n < STRINGS_MAX ? n : STRINGS_MAX;
}

static bool same_texts(const str *have, size_t have_n, const str *are, size_t n)
{
	if (have_n != kept(n))
		return false;
	for (size_t i = 0; i < have_n; i++)
		if (!str_equal(have[i], str_take(are[i], STRING_MAX)))
			return false;
	return true;
}

static bool is_policy(const struct policy *p, const struct tls_session *s)
{
	return p->type == s->type && str_equal(p->domain, str_take(s->policy_domain, NAME_MAX_OCTETS)) &&
	       same_texts(p->strings, p->strings_n, s->strings, s->strings_n) &&
	       same_texts(p->hosts, p->hosts_n, s->hosts, s->hosts_n);
}

static size_t octets_of(const str *texts, size_t n)
{
	size_t octets = kept(n) * (sizeof(str) + sizeof(max_align_t));

	for (size_t i = 0; i < kept(n); i++)
		octets += str_take(texts[i], STRING_MAX).n;
	return octets;
}

static bool may_add(const struct tls_tally *t, const struct domain *d, const struct tls_session *s)
{
	size_t octets = sizeof(struct policy) + octets_of(s->strings, s->strings_n) + octets_of(s->hosts, s->hosts_n);

	return has_room(t) && d->policies_n < TALLY_POLICIES_MAX && d->memory.used + octets < POLICY_MEMORY;
}

static str *keep_texts(struct arena *a, const str *texts, size_t n, size_t *kept_n)
{
	str *out = arena_array(a, kept(n), sizeof(*out));

	*kept_n = out == NULL ? 0 : kept(n);
	for (size_t i = 0; i < *kept_n; i++)
		out[i] = cut(a, texts[i], STRING_MAX);
	return out;
}

static struct policy *policy_add(struct domain *d, const struct tls_session *s)
{
	struct policy new = {.type = s->type, .domain = cut(&d->memory, s->policy_domain, NAME_MAX_OCTETS)};
	struct policy *p = arena_alloc(&d->memory, sizeof(*p));

	new.strings = keep_texts(&d->memory, s->strings, s->strings_n, &new.strings_n);
	new.hosts = keep_texts(&d->memory, s->hosts, s->hosts_n, &new.hosts_n);
	if (!has_fitted(d))
		return NULL;
	*p = new;
	p->last = &p->first;
	*d->last = p;
	d->last = &p->next;
	d->policies_n++;
	return p;
}

static struct policy *policy_of(const struct tls_tally *t, struct domain *d, const struct tls_session *s)
{
	for (struct policy *p = d->first; p != NULL; p = p->next)
		if (is_policy(p, s))
			return p;
	return may_add(t, d, s) ? policy_add(d, s) : NULL;
}

static bool is_detail(const struct detail *d, const struct tls_session *s)
{
	const struct tls_report_failure *f = &d->failure;

	return d->result == s->result && str_equal(f->receiving_host, str_take(s->receiving_host, NAME_MAX_OCTETS)) &&
	       str_equal(f->receiving_ip, s->receiving_ip) && str_equal(f->sending_ip, s->sending_ip) &&
	       str_equal(f->reason, str_take(s->reason, REASON_MAX));
}

static struct detail *detail_add(struct domain *d, struct policy *p, const struct tls_session *s)
{
	struct detail *new = arena_alloc(&d->memory, sizeof(*new));
	struct tls_report_failure failure = {
		.result = str_from(result_names[s->result]),
		.sending_ip = cut(&d->memory, s->sending_ip, NAME_MAX_OCTETS),
		.receiving_host = cut(&d->memory, s->receiving_host, NAME_MAX_OCTETS),
		.receiving_ip = cut(&d->memory, s->receiving_ip, NAME_MAX_OCTETS),
		.reason = cut(&d->memory, s->reason, REASON_MAX),
	};

	if (!has_fitted(d))
		return NULL;
	new->result = s->result;
	new->failure = failure;
	*p->last = new;
	p->last = &new->next;
	p->details_n++;
	return new;
}

static struct detail *detail_of(const struct policy *p, const struct tls_session *s)
{
	for (struct detail *have = p->first; have != NULL; have = have->next)
		if (is_detail(have, s))
			return have;
	return NULL;
}

/* Beyond the limit there is one detail for each result: TLS_RESULT_COUNT more at most. */
static void count_failure(const struct tls_tally *t, struct domain *d, struct policy *p, const struct tls_session *s)
{
	struct tls_session rest = {.result = s->result};
	struct detail *detail = detail_of(p, s);

	p->failures++;
	if (detail == NULL && p->details_n < TALLY_DETAILS_MAX && has_room(t))
		detail = detail_add(d, p, s);
	if (detail == NULL)
		detail = detail_of(p, &rest);
	if (detail == NULL && has_room(t))
		detail = detail_add(d, p, &rest);
	if (detail != NULL)
		detail->failure.sessions++;
}

static bool count(const struct tls_tally *t, struct domain *d, const struct tls_session *s)
{
	struct policy *p = policy_of(t, d, s);

	if (p != NULL && s->result == TLS_RESULT_SUCCESS)
		p->successes++;
	else if (p != NULL)
		count_failure(t, d, p, s);
	return p != NULL;
}

void tls_tally_add(struct tls_tally *t, const struct tls_session *s)
{
	struct domain *d = domain_of(t, s->domain);
	size_t before = d == NULL ? 0 : d->memory.used;

	if (d == NULL || !count(t, d, s))
		t->lost++;
	t->octets += d == NULL ? 0 : d->memory.used - before;
}

/* --- reading --- */

static err fill_policy(const struct policy *p, struct arena *a, struct tls_report_policy *out)
{
	struct tls_report_failure *details = arena_array(a, p->details_n, sizeof(*details));
	size_t n = 0;

	if (details == NULL)
		return err_note(E_LIMIT, "no memory for a TLS report");
	for (const struct detail *d = p->first; d != NULL; d = d->next)
		details[n++] = d->failure;
	*out = (struct tls_report_policy){.type = str_from(type_names[p->type]),
	                                  .domain = p->domain,
	                                  .strings = p->strings,
	                                  .hosts = p->hosts,
	                                  .strings_n = p->strings_n,
	                                  .hosts_n = p->hosts_n,
	                                  .successes = p->successes,
	                                  .failures = p->failures,
	                                  .details = details,
	                                  .details_n = n};
	return OK;
}

err tls_tally_policies(const struct tls_tally *t, str domain, struct arena *a, struct tls_report *out)
{
	const struct domain *d = map_get(&t->domains, domain);
	struct tls_report_policy *policies = d == NULL ? NULL : arena_array(a, d->policies_n, sizeof(*policies));
	size_t n = 0;
	err e = OK;

	if (d == NULL || d->policies_n == 0)
		return err_note(E_NOT_FOUND, "nothing is known of this domain");
	if (policies == NULL)
		return err_note(E_LIMIT, "no memory for a TLS report");
	for (const struct policy *p = d->first; p != NULL && e == OK; p = p->next)
		e = fill_policy(p, a, &policies[n++]);
	out->policies = policies;
	out->policies_n = n;
	return e;
}
