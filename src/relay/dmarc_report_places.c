/* SPDX-License-Identifier: ISC */
/* Who gets a domain's reports. RFC 9990 4: a domain of another organization is not written to unless it says that it wants to be, or anybody could have it flooded. */
#include "base/log.h"
#include "conf/domain_name.h"
#include "mailauth/dmarc_walk.h"
#include "relay/dmarc_reporting.h"
#include "relay/state.h"

#define LOOKUP_TIME (30 * NSEC_PER_SEC)

struct search {
	const struct relay *relay;
	str domain, organization; /* organization: "" not yet looked up */
	struct arena *arena;
	struct dmarc_place *out;
	size_t *n;
	bool later; /* something is not known now */
};

/* --- the record --- */

/* The first of them that is one. E_NOT_FOUND: none is. */
static err pick_record(const str *txt, size_t n, struct arena *a, struct dmarc_record *out)
{
	for (size_t i = 0; i < n; i++)
		if (dmarc_record_parse(txt[i], a, out) != E_NOT_FOUND)
			return OK;
	return E_NOT_FOUND;
}

static err look_up(const struct search *s, str name, struct dmarc_record *out)
{
	struct dns_answer answer;
	str *txt;
	size_t n;
	err e = dns_txt(&s->relay->resolver, name, s->arena, rt_after(LOOKUP_TIME), &answer, &txt, &n);

	return e == OK ? pick_record(txt, n, s->arena, out) : e;
}

/* --- others --- */

static err organization_of(const struct search *s, str domain, str *out)
{
	struct dmarc_walk walk;
	err e = dmarc_walk(&s->relay->resolver, domain, s->relay->config->suffix_list == CONFIG_YES,
	                   rt_after(LOOKUP_TIME), s->arena, &walk);

	if (e == OK && walk.broken)
		e = err_note(E_TEMP, "the DNS does not tell whom " STR_FMT " belongs to", STR_ARG(domain));
	*out = e == OK ? walk.organization : STR("");
	return e;
}

/* E_NOT_FOUND: it is another organization's. */
static err same_organization(struct search *s, str host)
{
	str theirs;
	err e = OK;

	if (str_equal(host, s->domain))
		return OK;
	if (s->organization.n == 0)
		e = organization_of(s, s->domain, &s->organization);
	if (e == OK)
		e = organization_of(s, host, &theirs);
	return e != OK ? e : str_equal(theirs, s->organization) ? OK : E_NOT_FOUND;
}

/* --- the list --- */

static void add(struct search *s, str to, uint64_t max)
{
	for (size_t i = 0; i < *s->n; i++)
		if (str_equal_nocase(s->out[i].to, to))
			return;
	if (*s->n < DMARC_PLACES_MAX)
		s->out[(*s->n)++] = (struct dmarc_place){to, max};
}

static err host_of(const struct search *s, str to, str *out)
{
	return str_is_ascii(to) ? domain_name_fold(str_drop(to, str_find_last(to, '@') + 1), s->arena, out) : E_SYNTAX;
}

/* RFC 9990 4: what it asks for in place of that has to be of the same host. */
static void add_agreed(struct search *s, str host, const struct dmarc_record *theirs, str to, uint64_t max)
{
	if (theirs->rua_n == 0)
		add(s, to, max);
	for (size_t i = 0; i < theirs->rua_n; i++) {
		str other;
		if (host_of(s, theirs->rua[i], &other) == OK && str_equal(other, host))
			add(s, theirs->rua[i], theirs->rua_max[i]);
	}
}

static err ask_others(struct search *s, str host, str to, uint64_t max)
{
	struct dmarc_record theirs;
	str name = arena_printf(s->arena, STR_FMT "._report._dmarc." STR_FMT, STR_ARG(s->domain), STR_ARG(host));
	err e = name.n > DNS_NAME_MAX ? E_NOT_FOUND : look_up(s, name, &theirs);

	if (e == OK)
		add_agreed(s, host, &theirs, to, max);
	else if (e == E_NOT_FOUND)
		LOG(INFO, "relay.dmarc-report-unwanted", LOG_STR("domain", s->domain), LOG_STR("to", to));
	return e;
}

static err consider(struct search *s, str to, uint64_t max)
{
	str host;

	if (host_of(s, to, &host) != OK)
		return OK;
	err e = same_organization(s, host);
	if (e == OK)
		add(s, to, max);
	else if (e == E_NOT_FOUND)
		e = ask_others(s, host, to, max);
	if (e == E_CANCELLED || e == E_MEMORY || e == E_LIMIT)
		return e;
	s->later |= e != OK && e != E_NOT_FOUND;
	return OK;
}

err dmarc_report_places(const struct relay *r, str domain, str counted, struct arena *a,
                        struct dmarc_place out[DMARC_PLACES_MAX], size_t *n)
{
	struct search s = {.relay = r, .domain = domain, .arena = a, .out = out, .n = n};
	struct dmarc_record record;
	err e = look_up(&s, arena_printf(a, "_dmarc." STR_FMT, STR_ARG(domain)), &record);

	*n = 0;
	if (e != OK && e != E_NOT_FOUND && e != E_CANCELLED)
		e = pick_record(&counted, 1, a, &record);
	for (size_t i = 0; e == OK && i < record.rua_n && i < DMARC_PLACES_MAX; i++)
		e = consider(&s, record.rua[i], record.rua_max[i]);
	if (e == OK && *n == 0)
		e = s.later ? err_note(E_TEMP, "the DNS does not tell who wants the reports of " STR_FMT,
		                       STR_ARG(domain))
		            : E_NOT_FOUND;
	return e;
}
