/* SPDX-License-Identifier: ISC */
#include "filter/checks.h"

#include "mail/header.h"
#include "rt/together.h"

/* What the parts share. */
struct work {
	const struct checks_input *in;
	struct checks *out;
	struct arena *a;
	struct dkim_message message;
	struct dkim_options dkim;
};

/* --- one by one --- */

static err run_spf(void *ctx)
{
	struct work *w = ctx;
	const struct checks_input *in = w->in;

	return spf_check(&(struct spf_query){.resolver = in->resolver,
	                                     .client = in->client,
	                                     .helo = in->message->origin->helo,
	                                     .sender = in->message->sender,
	                                     .receiver = in->config->hostname,
	                                     .at = in->now,
	                                     .deadline = in->deadline},
	                 w->a, &w->out->spf);
}

static err run_iprev(void *ctx)
{
	struct work *w = ctx;

	return iprev_check(w->in->resolver, w->in->client, w->in->deadline, w->a, &w->out->iprev);
}

static err run_dkim(void *ctx)
{
	struct work *w = ctx;

	return dkim_verify(&w->message, &w->dkim, w->a, &w->out->dkim, &w->out->dkim_n);
}

static err run_arc(void *ctx)
{
	struct work *w = ctx;

	return arc_verify(&w->message, &w->dkim, w->a, &w->out->arc);
}

static err run_dmarc(void *ctx)
{
	struct work *w = ctx;
	const struct checks_input *in = w->in;

	return dmarc_find(in->resolver, w->out->author.domain, in->config->suffix_list == CONFIG_YES, in->deadline,
	                  w->a, &w->out->found);
}

/* --- who wrote it --- */

static size_t count_from(str header)
{
	struct header_field f;
	size_t at = 0, n = 0;

	while (header_next(header, &at, &f))
		n += str_equal_nocase(f.name, STR("From"));
	return n;
}

/* Of all of the message: a From may hide below the header, behind a line that is no field. */
static err find_author(struct work *w)
{
	struct checks *c = w->out;
	err e = dmarc_author_find(w->in->message->body.bytes, w->a, &c->author);

	if (e != OK && e != E_NOT_FOUND && e != E_SYNTAX)
		return e;
	c->kind = e == OK ? AUTHOR_ONE : AUTHOR_NONE;
	if (e == E_SYNTAX)
		c->kind = count_from(w->message.header) > 1 ? AUTHOR_SEVERAL : AUTHOR_UNCLEAR;
	if (e != OK)
		c->author_why = arena_printf(w->a, "%s", err_info()->text);
	return OK;
}

/* --- what follows --- */

static err conclude(struct work *w)
{
	struct checks *c = w->out;
	const struct checks_input *in = w->in;
	const struct dmarc_query q = {.resolver = in->resolver,
	                              .author = c->author.domain,
	                              .spf = c->from_client ? &c->spf : NULL,
	                              .dkim = c->dkim,
	                              .dkim_n = c->dkim_n,
	                              .suffix_list = in->config->suffix_list == CONFIG_YES,
	                              .deadline = in->deadline};

	return c->kind == AUTHOR_ONE ? dmarc_judge(&q, &c->found, w->a, &c->dmarc) : OK;
}

static bool is_trusted(const struct config *c, str sealer)
{
	for (size_t i = 0; i < c->arc_trust_n; i++)
		if (str_equal_nocase(sealer, c->arc_trust[i]))
			return true;
	return false;
}

/* Does a sealer say that it was authentic by this domain? */
static bool says_authentic(str results, str domain)
{
	return auth_results_passed(results, STR("dmarc"), STR("header.from"), domain) ||
	       auth_results_passed(results, STR("dkim"), STR("header.d"), domain) ||
	       auth_results_passed(results, STR("spf"), STR("smtp.mailfrom"), domain);
}

/* RFC 8617 7.2.1: who handed it on last, and what he saw. */
static void look_at_chain(struct work *w)
{
	struct checks *c = w->out;
	const struct arc_set *last = c->arc.n == 0 ? NULL : &c->arc.sets[c->arc.n - 1];

	if (c->kind != AUTHOR_ONE || c->dmarc.result != AUTH_FAIL || c->arc.result != AUTH_PASS || last == NULL ||
	    !is_trusted(w->in->config, last->sealer))
		return;
	if (says_authentic(last->results, c->author.domain) ||
	    (c->dmarc.organization.n > 0 && says_authentic(last->results, c->dmarc.organization)))
		c->sealer = last->sealer;
}

static void fill_results(struct work *w)
{
	struct checks *c = w->out;
	const struct inspect_request *m = w->in->message;

	c->results = (struct auth_results){.hostname = w->in->config->hostname,
	                                   .client = m->origin->client,
	                                   .sender = m->sender,
	                                   .helo = m->origin->helo,
	                                   .spf = c->from_client ? &c->spf : NULL,
	                                   .iprev = c->from_client ? &c->iprev : NULL,
	                                   .dkim = c->dkim,
	                                   .dkim_n = c->dkim_n,
	                                   .dmarc = c->kind == AUTHOR_ONE ? &c->dmarc : NULL,
	                                   .author = c->author.domain,
	                                   .arc = &c->arc};
}

err checks_run(const struct checks_input *in, struct arena *a, struct checks *out)
{
	struct work w = {.in = in,
	                 .out = out,
	                 .a = a,
	                 .message = dkim_message_of(in->message->body.bytes),
	                 .dkim = {.resolver = in->resolver,
	                          .now = in->now,
	                          .deadline = in->deadline,
	                          .keys = in->keys,
	                          .once = true}};
	struct together_part parts[5] = {{.name = "dkim", .fn = run_dkim, .ctx = &w},
	                                 {.name = "arc", .fn = run_arc, .ctx = &w}};
	size_t n = 2;

	*out = (struct checks){.done = in->config->authenticate == CONFIG_YES};
	out->from_client = out->done && in->client != NULL;
	err e = find_author(&w);
	if (e != OK || !out->done) {
		out->results = (struct auth_results){.hostname = in->config->hostname};
		return e;
	}
	if (out->kind == AUTHOR_ONE)
		parts[n++] = (struct together_part){.name = "dmarc", .fn = run_dmarc, .ctx = &w};
	if (out->from_client)
		parts[n++] = (struct together_part){.name = "spf", .fn = run_spf, .ctx = &w};
	if (out->from_client)
		parts[n++] = (struct together_part){.name = "iprev", .fn = run_iprev, .ctx = &w};
	e = together_run(parts, n);
	if (e == OK)
		e = conclude(&w);
	if (e != OK)
		return e;
	look_at_chain(&w);
	fill_results(&w);
	return OK;
}
