/* SPDX-License-Identifier: ISC */
#include "mailauth/dmarc.h"

#include "dns/ask.h"
#include "mailauth/dmarc_walk.h"

enum { ANSWER_MEMORY = 512 << 10, RCODE_NO_NAME = 3 };

/* --- which record (RFC 9989 4.10.1) --- */

/* RFC 8020: is there nothing at all of this name? Who cannot tell says no. */
static err look_for_domain(const struct resolver *r, str domain, nsec deadline, bool *nonexistent)
{
	ARENA(a, ANSWER_MEMORY);
	struct dns_answer answer;
	struct resolve_reply reply;
	err e = dns_ask(r, domain, DNS_A, &a, deadline, &answer, &reply);

	*nonexistent = e == E_NOT_FOUND && reply.rcode == RCODE_NO_NAME;
	return e == E_CANCELLED ? e : OK;
}

/* The author's own record, else its organization's, else that of the public suffix. */
static const struct dmarc_record *choose(const struct dmarc_walk *w, str author, str *fault)
{
	const struct dmarc_record *best = NULL;

	for (size_t i = 0; i < w->n; i++) {
		const struct dmarc_record *record = &w->records[i];
		bool own = record->domain.n == author.n, organization = str_equal(record->domain, w->organization);

		if (best != NULL || !(own || organization || record->psd == 'y'))
			continue;
		best = record;
		*fault = w->faults[i];
	}
	return best;
}

static void judge_record(const struct dmarc_walk *w, str author, struct arena *a, struct dmarc_found *out)
{
	str fault = STR_NONE;
	const struct dmarc_record *record = choose(w, author, &fault);

	if (record == NULL || (w->broken && record->domain.n < author.n)) {
		out->result = w->broken ? AUTH_TEMPERROR : AUTH_NONE;
		out->why = w->broken ? w->why : arena_printf(a, STR_FMT " has no DMARC record", STR_ARG(author));
		return;
	}
	out->record = *record;
	out->result = fault.n > 0 ? AUTH_PERMERROR : AUTH_PASS;
	if (fault.n > 0)
		out->why = arena_printf(a, "the DMARC record of " STR_FMT " has " STR_FMT, STR_ARG(record->domain),
		                        STR_ARG(fault));
}

err dmarc_find(const struct resolver *r, str author, bool suffix_list, nsec deadline, struct arena *a,
               struct dmarc_found *out)
{
	struct dmarc_walk walk;

	*out = (struct dmarc_found){.result = AUTH_NONE};
	err e = dmarc_walk(r, author, suffix_list, deadline, a, &walk);
	if (e != OK)
		return e;
	out->organization = walk.organization;
	judge_record(&walk, author, a, out);
	if (out->record.domain.n != author.n && !walk.broken)
		e = look_for_domain(r, author, deadline, &out->nonexistent);
	return e == OK && a->full ? err_note(E_LIMIT, "no memory for DMARC") : e;
}

/* --- alignment (RFC 9989 4.4, 4.10.2) --- */

struct alignment {
	const struct dmarc_query *q;
	const struct dmarc_found *found;
	struct arena *a;
	bool unsure; /* the DNS could not say of one that it is aligned, or that one passes that is */
	err e;
};

/* Is the domain of something that passed, or could not be looked at, one of the author's? */
static bool is_aligned(struct alignment *j, str domain, bool strict)
{
	str organization = j->found->organization;
	struct dmarc_walk walk;

	if (domain.n == 0 || str_equal_nocase(domain, j->q->author))
		return domain.n > 0;
	if (strict || j->e != OK)
		return false;
	if (organization.n == 0) { /* the author's is not known */
		j->unsure = true;
		return false;
	}
	if (!dmarc_is_below(domain, organization))
		return false;
	j->e = dmarc_walk(j->q->resolver, domain, j->q->suffix_list, j->q->deadline, j->a, &walk);
	if (j->e == OK && walk.organization.n == 0)
		j->unsure = true;
	return j->e == OK && str_equal_nocase(walk.organization, organization);
}

static bool spf_is_aligned(struct alignment *j)
{
	const struct spf_result *spf = j->q->spf;
	bool strict = j->found->record.strict_spf;

	if (spf == NULL)
		return false;
	if (spf->result == AUTH_TEMPERROR && is_aligned(j, spf->domain, strict))
		j->unsure = true;
	return spf->result == AUTH_PASS && is_aligned(j, spf->domain, strict);
}

static bool dkim_is_aligned(struct alignment *j)
{
	bool aligned = false, strict = j->found->record.strict_dkim;

	for (size_t i = 0; i < j->q->dkim_n && !aligned; i++) {
		const struct dkim_result *dkim = &j->q->dkim[i];

		if (dkim->result == AUTH_TEMPERROR && is_aligned(j, dkim->domain, strict))
			j->unsure = true;
		aligned = dkim->result == AUTH_PASS && is_aligned(j, dkim->domain, strict);
	}
	return aligned;
}

/* --- the result (RFC 9989 5.3) --- */

/* What is asked for of this domain; a test asks for one step less (4.7, t). */
static enum dmarc_policy policy_of(const struct dmarc_record *r, str author, bool nonexistent)
{
	enum dmarc_policy policy = str_equal(r->domain, author) ? r->p : nonexistent ? r->np : r->sp;

	if (r->testing && policy != DMARC_NONE)
		policy--;
	return policy;
}

static void conclude(const struct alignment *j, struct dmarc_result *out)
{
	const struct dmarc_record *record = &out->record;

	if (out->spf_aligned || out->dkim_aligned) {
		out->result = AUTH_PASS;
		return;
	}
	out->result = j->unsure ? AUTH_TEMPERROR : AUTH_FAIL;
	out->policy = policy_of(record, j->q->author, out->nonexistent);
	out->why = arena_printf(j->a,
	                        j->unsure ? "the DNS did not say whether what SPF and DKIM found belongs to " STR_FMT
	                                  : "nothing that SPF or DKIM found shows that this comes from " STR_FMT,
	                        STR_ARG(j->q->author));
}

err dmarc_judge(const struct dmarc_query *q, const struct dmarc_found *found, struct arena *a, struct dmarc_result *out)
{
	struct alignment j = {.q = q, .found = found, .a = a};

	*out = (struct dmarc_result){.result = found->result,
	                             .organization = found->organization,
	                             .record = found->record,
	                             .nonexistent = found->nonexistent,
	                             .why = found->why};
	if (found->result != AUTH_PASS)
		return OK;
	out->spf_aligned = spf_is_aligned(&j);
	out->dkim_aligned = dkim_is_aligned(&j);
	if (j.e == OK)
		conclude(&j, out);
	return j.e == OK && a->full ? err_note(E_LIMIT, "no memory for DMARC") : j.e;
}
