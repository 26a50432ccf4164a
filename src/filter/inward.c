/* SPDX-License-Identifier: ISC */
/* Mail from others: who sent it, what earlier mail shows, the judge, the decision, and what is written into its header. */
#include "filter/checks.h"
#include "filter/decide.h"
#include "filter/fields.h"
#include "filter/removal.h"
#include "filter/reports.h"
#include "filter/state.h"
#include "mail/address.h"
#include "mail/skeleton.h"
#include "mailauth/dmarc_row.h"
#include "spam/judge.h"

#define CHECKS_TIME (20 * NSEC_PER_SEC)
#define JUDGE_TIME  (10 * NSEC_PER_SEC)

enum { FIELDS_MAX = 64 << 10 };

struct inward {
	struct pass *pass;
	const struct net_address *client; /* NULL: not the sender's */
	struct checks checks;
	struct author author;     /* verified or not; of exactly one */
	struct auth_results seen; /* what the judge is told of the checks */
	struct history_reply history;
	struct judge_input judge;
	struct judge_result judged;
	struct model_hold *all, *own;
	struct decision decision;
	struct report_read *report; /* NULL: none that is about us and could be read */
	bool is_report;             /* it looks like one */
};

/* --- who wrote it --- */

/* E_SYNTAX: it has no form to be known by; then it is nobody's contact. */
static err author_key(const struct dmarc_author *from, struct arena *a, str *out)
{
	struct address address;
	str local, domain;
	err e = address_parse(from->address, true, &address);

	if (e == OK)
		e = address_key(a, &address, &local, &domain);
	if (e == OK)
		*out = arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	return e;
}

/* Without checks nothing is said of who wrote it, for whoever would read it as a result. */
static void fill_author(struct inward *w)
{
	struct arena *a = w->pass->arena;
	const struct checks *c = &w->checks;

	if (!c->done || c->kind != AUTHOR_ONE || author_key(&c->author, a, &w->author.address) != OK)
		return;
	w->author.name = c->author.name;
	w->author.skeleton = skeleton_address(a, w->author.address);
	w->author.name_skeleton = skeleton_name(a, c->author.name);
	w->author.verified = c->dmarc.result == AUTH_PASS;
}

/* --- the judge --- */

/* A front server has seen SPF, we have not: that DMARC fails here says nothing. */
static void fill_seen(struct inward *w)
{
	w->seen = w->checks.results;
	if (w->pass->source == SOURCE_FRONT && w->seen.dmarc != NULL && w->seen.dmarc->result != AUTH_PASS)
		w->seen.dmarc = NULL;
}

/* Without an answer what is known of others is not used; the message is not held up for it. */
static err ask_history(struct inward *w)
{
	struct pass *p = w->pass;
	size_t n = 0;
	struct rcpt_query *rcpts = arena_array(p->arena, p->request->rcpts_n, sizeof(*rcpts));
	struct history_request q = {.author = &w->author, .author_n = w->author.address.n > 0 ? 1 : 0, .rcpts = rcpts};
	err e = judge_keys(&w->judge, p->arena, &q.keys, &n);

	if (e != OK || rcpts == NULL)
		return rcpts == NULL ? err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message") : e;
	q.keys_n = n;
	for (; q.rcpts_n < p->request->rcpts_n; q.rcpts_n++)
		rcpts[q.rcpts_n].address = p->request->rcpts[q.rcpts_n].address;
	e = call_history(p->filter->store, &q, &w->history, p->arena, w->judge.deadline);
	if (e == OK && w->history.known_n == n)
		w->judge.history = &w->history;
	return e == E_CANCELLED || e == E_LIMIT ? e : OK;
}

static err judge(struct inward *w)
{
	struct pass *p = w->pass;

	w->judged.findings = &p->findings;
	w->judge = (struct judge_input){.config = p->config,
	                                .resolver = &p->filter->resolver,
	                                .message = p->request,
	                                .client = w->client,
	                                .auth = &w->seen,
	                                .author = w->checks.kind == AUTHOR_ONE ? &w->checks.author : NULL,
	                                .now = p->now,
	                                .deadline = rt_after(JUDGE_TIME)};
	err e = ask_history(w);
	if (e != OK)
		return e;
	w->all = models_take(p->filter->models, 0, w->judge.deadline);
	w->judge.all = models_table(w->all);
	if (w->judge.history != NULL && w->history.account != 0)
		w->own = models_take(p->filter->models, w->history.account, w->judge.deadline);
	w->judge.own = models_table(w->own);
	return judge_message(&w->judge, p->arena, &w->judged);
}

/* --- what is written down --- */

static str domain_part(str address)
{
	return str_drop(address, str_find_last(address, '@') + 1);
}

/* RFC 9990 2.1.5: why what was done is not what was published. */
static void fill_override(const struct inward *w, struct dmarc_row *row)
{
	const struct checks *c = &w->checks;

	if (c->dmarc.result != AUTH_FAIL)
		return;
	if (c->sealer.n > 0) {
		row->override = STR("trusted_forwarder");
		row->override_comment =
			arena_printf(w->pass->arena, "arc=pass as[%zu].d=" STR_FMT, c->arc.n, STR_ARG(c->sealer));
	} else if (c->dmarc.record.testing) {
		row->override = STR("policy_test_mode");
	} else if (w->decision.applied < c->dmarc.policy) {
		row->override = STR("local_policy");
	}
}

static str disposition_name(const struct inward *w)
{
	static const str names[] = {STR("none"), STR("quarantine"), STR("reject")};

	return w->checks.dmarc.result == AUTH_PASS ? STR("pass") : names[w->decision.applied];
}

static void put_report(struct pass *p, const char *result, str evidence)
{
	finding_print(&p->findings, &(struct finding){.kind = FINDING_CHECK,
	                                              .name = STR("report"),
	                                              .result = str_from(result),
	                                              .evidence = evidence});
}

/* A report that cannot be read is mail like any other. */
static void take_report(struct inward *w)
{
	struct pass *p = w->pass;
	const struct reports_input in = {p->config, pass_message(p),
	                                 w->checks.kind == AUTHOR_ONE ? w->checks.author.domain : STR_NONE,
	                                 w->checks.done && w->checks.dmarc.result == AUTH_PASS};
	struct report_read *report = arena_alloc(p->arena, sizeof(*report));
	err e = report == NULL ? E_MEMORY : reports_read(&in, p->arena, report);

	w->is_report = e != E_NOT_FOUND;
	w->report = e == OK ? report : NULL;
	if (e == OK)
		put_report(p, "kept",
		           arena_printf(p->arena, "a report (" STR_FMT ") of " STR_FMT " about " STR_FMT,
		                        STR_ARG(report->kind), STR_ARG(report->organization), STR_ARG(report->domain)));
	else if (w->is_report)
		put_report(p, "ignored", str_from(err_info()->text));
}

/* For the report to the domain; what is tried again later is counted then, and reports are not: two servers would tell each other of their reports for ever. */
static void put_row(const struct inward *w, struct judgement *j)
{
	const struct checks *c = &w->checks;
	const struct inspect_request *q = w->pass->request;
	BUF(text, DMARC_ROW_MAX);

	if (!c->from_client || c->kind != AUTHOR_ONE || c->dmarc.record.rua_n == 0 || w->decision.code == E_TEMP)
		return;
	if (w->is_report && c->dmarc.result == AUTH_PASS)
		return;
	struct dmarc_row row = {.source = q->origin->client,
	                        .disposition = disposition_name(w),
	                        .dkim = c->dmarc.dkim_aligned ? STR("pass") : STR("fail"),
	                        .spf = c->dmarc.spf_aligned ? STR("pass") : STR("fail"),
	                        .header_from = c->author.domain,
	                        .envelope_from = domain_part(q->sender),
	                        .envelope_to = q->rcpts_n > 0 ? domain_part(q->rcpts[0].address) : STR_NONE,
	                        .spf_domain = c->spf.domain,
	                        .spf_scope = c->spf.helo ? STR("helo") : STR("mfrom"),
	                        .spf_result = auth_result_name(c->spf.result),
	                        .dkim_results = c->dkim,
	                        .dkim_n = c->dkim_n,
	                        .record = c->dmarc.record.text,
	                        .record_domain = c->dmarc.record.domain};
	fill_override(w, &row);
	dmarc_row_print(&text, &row);
	if (text.full)
		return;
	j->dmarc_domain = c->dmarc.record.domain;
	j->dmarc_row = arena_str(w->pass->arena, buf_str(&text));
}

static err put_judgement(struct inward *w)
{
	struct pass *p = w->pass;
	struct judgement *j = pass_judgement(p);

	if (j == NULL)
		return err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message");
	if (w->author.address.n > 0) {
		j->author = arena_alloc(p->arena, sizeof(*j->author));
		j->author_n = j->author == NULL ? 0 : 1;
		if (j->author != NULL)
			*j->author = w->author;
	}
	j->notes = w->judged.notes;
	j->notes_n = w->judged.notes_n;
	put_row(w, j);
	j->reports = w->report;
	j->reports_n = w->report != NULL ? 1 : 0;
	return OK;
}

static bool some_is_junk(const struct inward *w)
{
	for (size_t i = 0; i < w->pass->reply->verdicts_n; i++)
		if (w->decision.verdicts[i].disposition == DISPOSITION_JUNK)
			return true;
	return false;
}

/* What made it junk: the policy, or whatever else did, before the rules that counted. */
static str reasons_of(const struct inward *w)
{
	struct arena *a = w->pass->arena;
	str rules = w->judged.reasons, cause = STR("");

	if (w->decision.cause == CAUSE_DMARC)
		cause = arena_printf(a, "policy of " STR_FMT " (DMARC)", STR_ARG(w->checks.author.domain));
	else if (w->decision.cause == CAUSE_AUTHOR)
		cause = STR("nobody can tell who wrote it");
	else if (w->decision.cause == CAUSE_SCANNER)
		cause = STR("a scanner says so");
	if (cause.n == 0 || rules.n == 0)
		return cause.n == 0 ? rules : cause;
	return arena_printf(a, STR_FMT ", " STR_FMT, STR_ARG(cause), STR_ARG(rules));
}

static err put_fields(struct inward *w)
{
	BUF(fields, FIELDS_MAX);

	if (w->checks.done)
		auth_results_print(&fields, &w->checks.results);
	if (some_is_junk(w))
		fields_junk(&fields, w->decision.finding.points, reasons_of(w));
	if (fields.full)
		return err_set(E_LIMIT, 451, "4.3.1", "Out of memory for this message");
	return pass_put_headers(w->pass, buf_str(&fields));
}

/* --- the order of things --- */

static err ask_and_judge(struct inward *w)
{
	struct pass *p = w->pass;
	const struct checks_input in = {.config = p->config,
	                                .resolver = &p->filter->resolver,
	                                .message = p->request,
	                                .client = w->client,
	                                .now = p->now,
	                                .deadline = rt_after(CHECKS_TIME),
	                                .keys = p->filter->keys};
	err e = checks_run(&in, p->arena, &w->checks);

	if (e != OK)
		return e;
	checks_print(&w->checks, &in, &p->findings);
	if (w->checks.from_client && w->checks.iprev.result == AUTH_PASS)
		p->client_name = w->checks.iprev.name;
	fill_author(w);
	fill_seen(w);
	e = p->config->spam.judge == CONFIG_YES ? judge(w) : OK;
	return e == OK ? pass_scan(p) : e;
}

static err decide_it(struct inward *w)
{
	struct pass *p = w->pass;
	struct decide_input in = {.config = p->config,
	                          .front = p->source == SOURCE_FRONT,
	                          .checks = &w->checks,
	                          .points = w->judged.points + p->scan.points,
	                          .greylisted = w->judged.greylisted,
	                          .scan = p->scan.action == SCAN_NOTHING ? NULL : &p->scan,
	                          .id = p->request->id};

	w->judged.reasons = arena_ascii(p->arena, w->judged.reasons);
	in.reasons = w->judged.reasons;
	in.rcpts = pass_rcpts(p, &in.rcpts_n);
	err e = decide(&in, p->arena, &w->decision);
	if (e != OK)
		return e;
	finding_print(&p->findings, &w->decision.finding);
	judge_conclude(&w->judged, w->decision.code == E_PERM || w->decision.worst != DISPOSITION_DELIVER);
	if (w->decision.code == E_TEMP && w->decision.cause != CAUSE_GREYLIST)
		w->judged.notes_n = 0; /* it comes again */
	if (w->decision.code != OK)
		pass_refuse(p, w->decision.code, w->decision.reply, w->decision.status, w->decision.text);
	p->reply->verdicts = w->decision.verdicts;
	p->reply->verdicts_n = in.rcpts_n;
	return OK;
}

static err remove_forged(struct inward *w)
{
	struct pass *p = w->pass;
	const struct removal how = {p->config->hostname,
	                            p->source == SOURCE_OTHERS && p->config->spam.judge == CONFIG_YES, pass_before(p)};

	return removal_add(&how, pass_message(p), p->reply, p->arena);
}

static err run(struct inward *w)
{
	struct pass *p = w->pass;
	err e = ask_and_judge(w);

	if (e == OK && p->reply->code == OK)
		e = decide_it(w);
	if (e == OK && p->reply->code == OK)
		e = remove_forged(w);
	if (e == OK && p->reply->code == OK)
		e = put_fields(w);
	if (e == OK && p->reply->code == OK && p->config->arc_seal == CONFIG_YES && w->checks.done)
		e = outward_seal(p, &w->checks);
	if (e == OK && p->reply->code == OK)
		take_report(w);
	return e == OK ? put_judgement(w) : e;
}

err inward(struct pass *p, const struct net_address *client)
{
	struct inward w = {.pass = p, .client = p->source == SOURCE_OTHERS && client->n > 0 ? client : NULL};

	if (p->source == SOURCE_FRONT)
		finding_print(&p->findings,
		              &(struct finding){
				      .kind = FINDING_CHECK,
				      .name = STR("origin"),
				      .result = STR("front"),
				      .evidence = STR("handed on by a server of ours (LMTP or relay-from): where it "
		                                      "had it from is not checked again, and it is not refused")});
	err e = run(&w);
	models_release(w.all);
	models_release(w.own);
	return e;
}
