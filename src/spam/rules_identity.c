/* SPDX-License-Identifier: ISC */
/* Who sent it: what SPF, DKIM, DMARC and ARC say. That they pass is no sign of good mail: anybody can have a domain. */
#include <netinet/in.h>

#include "spam/hash.h"
#include "spam/judging.h"

#define TEXT(s) STR_ARG((s).n > 0 ? (s) : STR("it"))

static bool is_none(enum auth_result r)
{
	return r == AUTH_NONE || r == AUTH_NEUTRAL || r == AUTH_PERMERROR;
}

static void look_at_spf(struct judging *j, const struct spf_result *spf)
{
	if (spf->result == AUTH_FAIL)
		judging_hit(j, RULE_SPF_FAIL, STR_FMT ": " STR_FMT, TEXT(spf->domain), STR_ARG(spf->mechanism));
	else if (spf->result == AUTH_SOFTFAIL)
		judging_hit(j, RULE_SPF_SOFTFAIL, STR_FMT ": " STR_FMT, TEXT(spf->domain), STR_ARG(spf->mechanism));
	else if (is_none(spf->result))
		judging_hit(j, RULE_SPF_NONE, STR_FMT ": " STR_FMT, TEXT(spf->domain),
		            STR_ARG(auth_result_name(spf->result)));
}

static bool dkim_passes(const struct auth_results *r)
{
	for (size_t i = 0; i < r->dkim_n; i++)
		if (r->dkim[i].result == AUTH_PASS)
			return true;
	return false;
}

static bool dkim_may_pass(const struct auth_results *r)
{
	for (size_t i = 0; i < r->dkim_n; i++)
		if (r->dkim[i].result == AUTH_PASS || r->dkim[i].result == AUTH_TEMPERROR)
			return true;
	return false;
}

static void look_at_dkim(struct judging *j, const struct auth_results *r)
{
	if (r->dkim_n == 0)
		judging_hit(j, RULE_DKIM_NONE, "it has none");
	else if (!dkim_may_pass(r))
		judging_hit(j, RULE_DKIM_FAIL, STR_FMT ": " STR_FMT, TEXT(r->dkim[0].domain), STR_ARG(r->dkim[0].why));
}

/* A forwarder may have changed what was signed; of those that are trusted, what they saw counts, unless the message was changed after them: whoever did so may have
 * put another one below their seals. */
static bool is_trusted(const struct judging *j, const struct arc_result *arc, str *sealer)
{
	const struct config *c = j->in->config;
	size_t oldest = arc != NULL && arc->oldest_pass > 0 ? arc->oldest_pass - 1 : 0;

	if (arc == NULL || arc->result != AUTH_PASS || j->in->author == NULL)
		return false;
	for (size_t i = oldest; i < arc->n; i++)
		for (size_t k = 0; k < c->arc_trust_n; k++)
			if (str_equal_nocase(arc->sets[i].sealer, c->arc_trust[k]) &&
			    auth_results_passed(arc->sets[i].results, STR("dmarc"), STR("header.from"),
			                        j->in->author->domain)) {
				*sealer = arc->sets[i].sealer;
				return true;
			}
	return false;
}

static void look_at_dmarc(struct judging *j, const struct auth_results *r)
{
	static const char *const policies[] = {"none", "quarantine", "reject"};
	str sealer;

	if (r->dmarc == NULL)
		return;
	if (r->dmarc->result == AUTH_NONE)
		judging_hit(j, RULE_DMARC_NONE, STR_FMT, TEXT(r->author));
	if (r->dmarc->result != AUTH_FAIL)
		return;
	if (is_trusted(j, r->arc, &sealer))
		judging_hit(j, RULE_ARC_TRUSTED, "sealed by " STR_FMT, STR_ARG(sealer));
	else
		judging_hit(j, RULE_DMARC_FAIL, STR_FMT " (policy %s): " STR_FMT, TEXT(r->author),
		            policies[r->dmarc->policy], STR_ARG(r->dmarc->why));
}

void judge_identity(struct judging *j)
{
	const struct auth_results *r = j->in->auth;

	if (j->in->author == NULL)
		judging_hit(j, RULE_AUTHOR_UNCLEAR, "%s",
		            j->fields.from.p == NULL ? "there is no From"
		                                     : "From is not one address that all read alike");
	if (r == NULL || r->spf == NULL)
		return;
	look_at_spf(j, r->spf);
	look_at_dkim(j, r);
	look_at_dmarc(j, r);
	if (r->spf->result != AUTH_PASS && r->spf->result != AUTH_TEMPERROR && !dkim_may_pass(r))
		judging_hit(j, RULE_UNPROVEN, "neither SPF nor DKIM passes");
}

/* --- keys of the history --- */

static bool is_proven(const struct judge_input *in)
{
	const struct auth_results *r = in->auth;

	if (r == NULL || in->author == NULL)
		return false;
	if (r->dmarc != NULL && r->dmarc->result == AUTH_PASS)
		return true;
	for (size_t i = 0; dkim_passes(r) && i < r->dkim_n; i++)
		if (r->dkim[i].result == AUTH_PASS && str_equal_nocase(r->dkim[i].domain, in->author->domain))
			return true;
	return r->spf != NULL && r->spf->result == AUTH_PASS && str_equal_nocase(r->spf->domain, in->author->domain);
}

/* /24, /64: what is given to one customer, more or less. */
static str net_of(const struct net_address *client, struct arena *a)
{
	const struct sockaddr_in *v4 = (const void *)&client->sa;
	const struct sockaddr_in6 *v6 = (const void *)&client->sa;
	const uint8_t *p;

	if (client->sa.ss_family == AF_INET6) {
		p = v6->sin6_addr.s6_addr;
		if (!IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			return arena_printf(a, "%x:%x:%x:%x::/64", p[0] << 8 | p[1], p[2] << 8 | p[3], p[4] << 8 | p[5],
			                    p[6] << 8 | p[7]);
		p += 12;
	} else if (client->sa.ss_family == AF_INET) {
		p = (const uint8_t *)&v4->sin_addr;
	} else {
		return STR_NONE;
	}
	return arena_printf(a, "%u.%u.%u.0/24", p[0], p[1], p[2]);
}

/* Whoever comes back does so with the same sender and recipients, from the same network; in which order recipients are named does not matter. */
static str grey_of(const struct inspect_request *m, str net, struct arena *a)
{
	uint64_t rcpts = 0;

	for (size_t i = 0; i < m->rcpts_n; i++)
		rcpts += hash_text(1, arena_lower(a, m->rcpts[i].address));
	return arena_printf(a, "grey " STR_FMT " %016llx %016llx", STR_ARG(net),
	                    (unsigned long long)hash_text(2, arena_lower(a, m->sender)), (unsigned long long)rcpts);
}

err judging_keys(const struct judge_input *in, struct arena *a, struct judging_keys *out)
{
	*out = (struct judging_keys){0};
	if (is_proven(in))
		out->domain = arena_printf(a, "domain " STR_FMT, STR_ARG(in->author->domain));
	if (in->client != NULL) {
		str net = net_of(in->client, a);
		out->net = net.n == 0 ? STR_NONE : arena_printf(a, "net " STR_FMT, STR_ARG(net));
		if (net.n > 0 && in->config->spam.greylist != CONFIG_POINTS_NEVER)
			out->grey = grey_of(in->message, net, a);
	}
	return a->full ? err_note(E_LIMIT, "no memory to judge a message") : OK;
}

err judge_keys(const struct judge_input *in, struct arena *a, struct word **keys, size_t *n)
{
	struct judging_keys k;
	err e = judging_keys(in, a, &k);
	const str all[] = {k.domain, k.net, k.grey};

	*n = 0;
	*keys = arena_array(a, ARRAY_LEN(all), sizeof **keys);
	if (e != OK || *keys == NULL)
		return e != OK ? e : err_note(E_LIMIT, "no memory to judge a message");
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].n > 0)
			(*keys)[(*n)++].text = all[i];
	return OK;
}

const struct reputation *judging_known(const struct judging *j, str key)
{
	const str all[] = {j->keys.domain, j->keys.net, j->keys.grey};
	size_t at = 0;

	for (size_t i = 0; key.n > 0 && j->in->history != NULL && i < ARRAY_LEN(all); i++) {
		if (all[i].n == 0)
			continue;
		if (str_equal(all[i], key))
			return at < j->in->history->known_n ? &j->in->history->known[at] : NULL;
		at++;
	}
	return NULL;
}
