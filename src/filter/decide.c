/* SPDX-License-Identifier: ISC */
#include "filter/decide.h"

#include "base/encode.h"
#include "mail/own_domain.h"

enum { REASONS_IN_REPLY = 60, NAME_IN_REPLY = 50 };

enum weight { WEIGHT_DELIVER, WEIGHT_JUNK, WEIGHT_QUARANTINE, WEIGHT_REJECT };

/* What one recipient makes of it. */
struct view {
	enum weight weight;
	enum decide_cause cause;
	const struct config_thresholds *thresholds;
};

static void put_weight(struct view *v, enum weight weight, enum decide_cause cause)
{
	if (weight <= v->weight)
		return;
	v->weight = weight;
	v->cause = cause;
}

/* --- one recipient --- */

static enum weight by_points(const struct config_thresholds *t, int64_t points)
{
	if (points >= t->reject)
		return WEIGHT_REJECT;
	if (points >= t->quarantine)
		return WEIGHT_QUARANTINE;
	return points >= t->junk ? WEIGHT_JUNK : WEIGHT_DELIVER;
}

/* What is asked for: DMARC_NONE also where nothing is to be done. */
static enum dmarc_policy asked_for(const struct decide_input *in)
{
	const struct checks *c = in->checks;

	if (in->front || !c->done || c->kind != AUTHOR_ONE || c->dmarc.result != AUTH_FAIL || c->sealer.n > 0)
		return DMARC_NONE;
	return c->dmarc.policy;
}

static enum weight by_dmarc(const struct decide_input *in, enum dmarc_obedience obedience)
{
	enum dmarc_policy policy = asked_for(in);

	if (policy == DMARC_NONE || obedience == DMARC_IGNORE)
		return WEIGHT_DELIVER;
	return policy == DMARC_REJECT && obedience == DMARC_OBEY ? WEIGHT_REJECT : WEIGHT_JUNK;
}

static enum weight by_author(const struct decide_input *in, enum dmarc_obedience obedience)
{
	if (in->checks->kind == AUTHOR_SEVERAL)
		return WEIGHT_REJECT;
	return in->checks->done && in->checks->kind == AUTHOR_UNCLEAR && obedience != DMARC_IGNORE ? WEIGHT_JUNK
	                                                                                           : WEIGHT_DELIVER;
}

static enum weight by_scanner(const struct scan_result *scan)
{
	static const enum weight weights[] = {[SCAN_JUNK] = WEIGHT_JUNK,
	                                      [SCAN_QUARANTINE] = WEIGHT_QUARANTINE,
	                                      [SCAN_REJECT] = WEIGHT_REJECT,
	                                      [SCAN_DISCARD] = WEIGHT_DELIVER};

	return scan == NULL ? WEIGHT_DELIVER : weights[scan->action];
}

static struct view view_of(const struct decide_input *in, str rcpt)
{
	const struct config_domain *d = own_domain(in->config, rcpt);
	enum dmarc_obedience obedience = d != NULL ? d->dmarc : DMARC_OBEY;
	struct view v = {.thresholds = d != NULL ? &d->spam : &in->config->spam.thresholds};

	put_weight(&v, by_author(in, obedience), CAUSE_AUTHOR);
	put_weight(&v, by_dmarc(in, obedience), CAUSE_DMARC);
	put_weight(&v, by_scanner(in->scan), CAUSE_SCANNER);
	put_weight(&v, by_points(v.thresholds, in->points), CAUSE_POINTS);
	if (in->front && v.weight == WEIGHT_REJECT)
		v.weight = WEIGHT_JUNK;
	return v;
}

/* --- sentences --- */

static void put_points(struct buf *out, int64_t points)
{
	finding_points_print(out, points);
	buf_puts(out, " points");
}

static void say_points_reply(const struct decide_input *in, struct buf *out)
{
	buf_puts(out, "Refused as spam (");
	put_points(out, in->points);
	buf_printf(out, ": " STR_FMT ")", STR_ARG(str_take(in->reasons, REASONS_IN_REPLY)));
}

static void say_refusal(const struct decide_input *in, const struct view *v, struct buf *out)
{
	char id[ID_TEXT_MAX];

	if (v->cause == CAUSE_AUTHOR)
		buf_puts(out, "The header has several From fields, so nobody can tell who wrote it");
	else if (v->cause == CAUSE_DMARC)
		buf_printf(out,
		           "Rejected by the policy of " STR_FMT
		           " (DMARC): neither SPF nor DKIM proved that it is from there; ask its postmaster",
		           STR_ARG(str_take(in->checks->author.domain, NAME_IN_REPLY)));
	else
		say_points_reply(in, out);
	buf_printf(out, "; id " STR_FMT, STR_ARG(id_text(in->id, id)));
}

/* What would have had to be different, of points. */
static void say_points(const struct decide_input *in, const struct view *v, struct buf *out)
{
	const struct config_thresholds *t = v->thresholds;
	int64_t limit = t->junk;

	put_points(out, in->points);
	if (v->weight == WEIGHT_REJECT)
		limit = t->reject;
	else if (v->weight == WEIGHT_QUARANTINE)
		limit = t->quarantine;
	if (limit == CONFIG_POINTS_NEVER)
		return;
	if (v->weight == WEIGHT_DELIVER) {
		buf_puts(out, "; junk from ");
		finding_points_print(out, limit);
		return;
	}
	buf_puts(out, ", the limit is ");
	finding_points_print(out, limit);
	buf_puts(out, "; a little more than ");
	finding_points_print(out, in->points - limit);
	buf_puts(out, " fewer would have changed it");
}

static void say_cause(const struct decide_input *in, const struct view *v, struct buf *out)
{
	const struct checks *c = in->checks;

	switch (v->cause) {
	case CAUSE_AUTHOR:
		buf_printf(out,
		           "nobody can tell who wrote it: " STR_FMT
		           "; a single From field with a single address would have changed it",
		           STR_ARG(c->author_why));
		break;
	case CAUSE_DMARC:
		buf_printf(out,
		           STR_FMT " asks for it (DMARC); a DKIM signature of " STR_FMT
		                   ", or an envelope sender of it that SPF lets pass, would have changed it",
		           STR_ARG(c->dmarc.record.domain), STR_ARG(c->author.domain));
		break;
	case CAUSE_SCANNER:
		buf_printf(out, "a scanner says so: " STR_FMT, STR_ARG(in->scan->text));
		break;
	default:
		say_points(in, v, out);
		break;
	}
}

/* --- the whole --- */

static void refuse(struct decision *d, err code, uint64_t reply, str status, str text)
{
	d->code = code;
	d->reply = reply;
	d->status = status;
	d->text = text;
}

static void refuse_for_good(const struct decide_input *in, const struct view *v, struct arena *a, struct decision *d)
{
	BUF(text, 1024);

	if (v->cause == CAUSE_SCANNER) {
		refuse(d, E_PERM, (uint64_t)in->scan->reply, in->scan->status, in->scan->text);
		return;
	}
	say_refusal(in, v, &text);
	refuse(d, E_PERM, 550, STR("5.7.1"), arena_str(a, buf_str(&text)));
	if (v->cause == CAUSE_DMARC)
		d->applied = DMARC_REJECT;
}

/* Is its policy to reject, and nobody knows at present whether it fails? */
static bool is_undecided(const struct decide_input *in)
{
	const struct checks *c = in->checks;

	if (in->front || !c->done || c->kind != AUTHOR_ONE || c->dmarc.result != AUTH_TEMPERROR ||
	    c->dmarc.policy != DMARC_REJECT)
		return false;
	for (size_t i = 0; i < in->rcpts_n; i++) {
		const struct config_domain *d = own_domain(in->config, in->rcpts[i].address);
		if (d != NULL && d->dmarc != DMARC_OBEY)
			return false;
	}
	return true;
}

/* False: it is not to come back later. */
static bool refuse_for_now(const struct decide_input *in, struct arena *a, struct decision *d)
{
	uint64_t minutes = (uint64_t)(in->config->spam.greylist_delay / (60 * NSEC_PER_SEC)) + 1;

	if (in->scan != NULL && in->scan->action == SCAN_LATER) {
		refuse(d, E_TEMP, (uint64_t)in->scan->reply, in->scan->status, in->scan->text);
		d->cause = CAUSE_SCANNER;
	} else if (is_undecided(in)) {
		refuse(d, E_TEMP, 451, STR("4.7.1"),
		       arena_printf(a,
		                    "The DNS does not tell at present whether " STR_FMT
		                    " has sent this (DMARC); try again later",
		                    STR_ARG(str_take(in->checks->author.domain, NAME_IN_REPLY))));
		d->cause = CAUSE_DMARC;
	} else if (in->greylisted && !in->front) {
		refuse(d, E_TEMP, 451, STR("4.7.1"),
		       arena_printf(a,
		                    "Not known here yet, and a little suspicious (" STR_FMT
		                    "); try again in %llu minute%s",
		                    STR_ARG(str_take(in->reasons, REASONS_IN_REPLY)), (unsigned long long)minutes,
		                    minutes == 1 ? "" : "s"));
		d->cause = CAUSE_GREYLIST;
	}
	return d->code != OK;
}

static enum disposition disposition_of(const struct decide_input *in, enum weight w)
{
	if (in->scan != NULL && in->scan->action == SCAN_DISCARD)
		return DISPOSITION_DISCARD;
	if (w == WEIGHT_QUARANTINE)
		return DISPOSITION_QUARANTINE;
	return w == WEIGHT_DELIVER ? DISPOSITION_DELIVER : DISPOSITION_JUNK;
}

static str result_of(const struct decision *d)
{
	static const char *const names[] = {"deliver", "junk", "quarantine", "discard"};

	if (d->code != OK)
		return d->code == E_TEMP ? STR("later") : STR("reject");
	return str_from(names[d->worst]);
}

static void say_for_now(const struct decide_input *in, const struct decision *d, struct buf *out)
{
	buf_printf(out, "for now: " STR_FMT, STR_ARG(d->text));
	if (d->cause == CAUSE_GREYLIST) {
		buf_puts(out, "; fewer than ");
		put_points(out, in->config->spam.greylist);
		buf_puts(out, " would have changed it");
	} else {
		buf_puts(out, d->cause == CAUSE_DMARC ? "; an answer of the DNS would have changed it"
		                                      : "; the scanner would have to let it pass");
	}
}

/* `v`: of the recipient who takes it worst; `mixed`: others would have had it. */
static void conclude(const struct decide_input *in, const struct view *v, bool mixed, struct arena *a,
                     struct decision *d)
{
	static const str names[] = {STR("points"), STR("points"),  STR("dmarc"),
	                            STR("author"), STR("scanner"), STR("greylist")};
	BUF(text, 2048);

	if (d->code == E_TEMP)
		say_for_now(in, d, &text);
	else
		say_cause(in, v, &text);
	if (d->code == OK && in->checks->sealer.n > 0)
		buf_printf(&text, "; DMARC fails, and " STR_FMT " is believed that it was authentic",
		           STR_ARG(in->checks->sealer));
	if (mixed && v->weight == WEIGHT_REJECT)
		buf_puts(&text, "; it would be refused, but other recipients have it");
	d->finding = (struct finding){.kind = FINDING_DECISION,
	                              .name = names[d->cause],
	                              .result = result_of(d),
	                              .points = in->points,
	                              .evidence = arena_str(a, buf_str(&text))};
}

err decide(const struct decide_input *in, struct arena *a, struct decision *out)
{
	struct view worst = {.thresholds = &in->config->spam.thresholds};
	size_t refusing = 0;

	*out = (struct decision){.verdicts = arena_array(a, in->rcpts_n, sizeof(struct rcpt_verdict))};
	if (out->verdicts == NULL)
		return err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message");
	for (size_t i = 0; i < in->rcpts_n; i++) {
		struct view v = view_of(in, in->rcpts[i].address);
		enum disposition disposition = disposition_of(in, v.weight);

		out->verdicts[i].disposition = disposition;
		out->worst = disposition > out->worst ? disposition : out->worst;
		refusing += v.weight == WEIGHT_REJECT;
		if (i == 0 || v.weight > worst.weight)
			worst = v;
	}
	out->cause = worst.cause;
	if (worst.cause == CAUSE_DMARC)
		out->applied = DMARC_QUARANTINE;
	if (refusing > 0 && refusing == in->rcpts_n)
		refuse_for_good(in, &worst, a, out);
	else
		(void)refuse_for_now(in, a, out);
	conclude(in, &worst, refusing < in->rcpts_n, a, out);
	return a->full ? err_set(E_MEMORY, 451, "4.3.1", "Out of memory for this message") : OK;
}
