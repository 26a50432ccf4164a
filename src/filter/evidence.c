/* SPDX-License-Identifier: ISC */
/* What the checks found, in sentences. */
#include "filter/checks.h"
#include "mail/finding.h"

enum { SENTENCE_MAX = 1024 };

static void put(struct buf *findings, const char *name, enum auth_result result, const struct buf *evidence)
{
	finding_print(findings, &(struct finding){.kind = FINDING_CHECK,
	                                          .name = str_from(name),
	                                          .result = auth_result_name(result),
	                                          .evidence = buf_str(evidence)});
}

static void put_why(struct buf *out, str why)
{
	if (why.n > 0)
		buf_printf(out, ": " STR_FMT, STR_ARG(why));
}

static void print_iprev(const struct checks *c, const struct checks_input *in, struct buf *findings)
{
	str client = in->message->origin->client;
	const struct iprev_result *r = &c->iprev;
	BUF(text, SENTENCE_MAX);

	if (r->result == AUTH_PASS)
		buf_printf(&text, STR_FMT " is " STR_FMT ", and that is " STR_FMT, STR_ARG(client), STR_ARG(r->name),
		           STR_ARG(client));
	else if (r->name.n > 0)
		buf_printf(&text, STR_FMT " says it is " STR_FMT ", which does not have this address", STR_ARG(client),
		           STR_ARG(r->name));
	else if (r->result == AUTH_TEMPERROR)
		buf_printf(&text, "the DNS does not tell the name of " STR_FMT, STR_ARG(client));
	else
		buf_printf(&text, STR_FMT " has no name in the DNS", STR_ARG(client));
	put(findings, "iprev", r->result, &text);
}

static void print_spf(const struct checks *c, const struct checks_input *in, struct buf *findings)
{
	const struct spf_result *r = &c->spf;
	str client = in->message->origin->client;
	BUF(text, SENTENCE_MAX);

	if (r->result == AUTH_PASS)
		buf_printf(&text, STR_FMT " may send for " STR_FMT, STR_ARG(client), STR_ARG(r->domain));
	else if (r->why.n > 0)
		buf_put(&text, r->why);
	else
		buf_printf(&text, STR_FMT " says nothing of " STR_FMT, STR_ARG(r->domain), STR_ARG(client));
	if (r->mechanism.n > 0 && r->why.n == 0)
		buf_printf(&text, " (" STR_FMT ")", STR_ARG(r->mechanism));
	if (r->helo)
		buf_puts(&text, "; asked for the name in HELO");
	if (r->explanation.n > 0)
		buf_printf(&text, "; it says: " STR_FMT, STR_ARG(r->explanation));
	put(findings, "spf", r->result, &text);
}

static void print_signature(const struct dkim_result *r, struct buf *findings)
{
	BUF(text, SENTENCE_MAX);

	buf_printf(&text, STR_FMT " (selector " STR_FMT ", " STR_FMT, STR_ARG(r->domain), STR_ARG(r->selector),
	           STR_ARG(r->algorithm));
	if (r->bits > 0)
		buf_printf(&text, ", %u bits", r->bits);
	buf_puts(&text, r->testing ? ", testing)" : ")");
	put_why(&text, r->why);
	finding_print(findings, &(struct finding){.kind = FINDING_CHECK,
	                                          .name = STR("dkim"),
	                                          .result = r->skipped ? STR("skipped") : auth_result_name(r->result),
	                                          .evidence = buf_str(&text)});
}

static void print_dkim(const struct checks *c, struct buf *findings)
{
	BUF(text, SENTENCE_MAX);

	buf_puts(&text, "the message has no DKIM signature");
	if (c->dkim_n == 0)
		put(findings, "dkim", AUTH_NONE, &text);
	for (size_t i = 0; i < c->dkim_n; i++)
		print_signature(&c->dkim[i], findings);
}

static void print_arc(const struct checks *c, struct buf *findings)
{
	BUF(text, SENTENCE_MAX);

	if (c->arc.result == AUTH_NONE)
		return;
	buf_printf(&text, "%zu handed it on", c->arc.n);
	if (c->arc.n > 0)
		buf_printf(&text, ", the last one " STR_FMT, STR_ARG(c->arc.sets[c->arc.n - 1].sealer));
	put_why(&text, c->arc.why);
	if (c->sealer.n > 0)
		buf_puts(&text, "; arc trust: it is believed that the message was authentic");
	put(findings, "arc", c->arc.result, &text);
}

static void print_policy(struct buf *text, const struct dmarc_result *r)
{
	static const char *const policies[] = {"none", "quarantine", "reject"};

	if (r->record.domain.n == 0)
		buf_puts(text, "no DMARC record");
	else
		buf_printf(text, STR_FMT " asks for %s: " STR_FMT, STR_ARG(r->record.domain), policies[r->policy],
		           STR_ARG(r->record.text));
}

static void print_dmarc(const struct checks *c, struct buf *findings)
{
	const struct dmarc_result *r = &c->dmarc;
	BUF(text, SENTENCE_MAX);

	buf_printf(&text, "From " STR_FMT "; ", STR_ARG(c->author.address));
	if (r->result == AUTH_PASS)
		buf_printf(&text, "proved by %s%s%s; " STR_FMT, r->dkim_aligned ? "DKIM" : "",
		           r->dkim_aligned && r->spf_aligned ? " and " : "", r->spf_aligned ? "SPF" : "",
		           STR_ARG(r->record.text));
	else
		print_policy(&text, r);
	put_why(&text, r->why);
	put(findings, "dmarc", r->result, &text);
}

static void print_author_fault(const struct checks *c, struct buf *findings)
{
	BUF(text, SENTENCE_MAX);

	buf_puts(&text, "no single author");
	put_why(&text, c->author_why);
	put(findings, "dmarc", AUTH_NONE, &text);
}

void checks_print(const struct checks *c, const struct checks_input *in, struct buf *findings)
{
	if (!c->done) {
		finding_print(findings, &(struct finding){.kind = FINDING_CHECK,
		                                          .name = STR("authenticate"),
		                                          .result = STR("off"),
		                                          .evidence = STR("authenticate no")});
		return;
	}
	if (c->from_client) {
		print_iprev(c, in, findings);
		print_spf(c, in, findings);
	}
	print_dkim(c, findings);
	print_arc(c, findings);
	if (c->kind == AUTHOR_ONE)
		print_dmarc(c, findings);
	else
		print_author_fault(c, findings);
}
