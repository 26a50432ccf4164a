/* SPDX-License-Identifier: ISC */
/* What its words say. */
#include "spam/bayes.h"
#include "spam/judging.h"
#include "spam/tokens_content.h"

/* How sure the words are, and what share of the rule's points that is, in thousandths; between these by a straight line. Never alone enough for junk. */
struct point {
	double spam;
	double share;
};
static const struct point curve[] = {
	{0, -1000}, {0.001, -1000}, {0.01, -750}, {0.1, -500}, {0.4, 0},      {0.6, 0},
	{0.8, 400}, {0.9, 600},     {0.95, 750},  {0.99, 930}, {0.999, 1000}, {1, 1000},
};

static double share_of(double spam)
{
	size_t i = 1;

	while (i + 1 < ARRAY_LEN(curve) && curve[i].spam < spam)
		i++;
	const struct point *a = &curve[i - 1], *b = &curve[i];
	return a->share + (b->share - a->share) * (spam - a->spam) / (b->spam - a->spam);
}

static void say(struct judging *j, const struct bayes_result *r)
{
	double share = share_of(r->spam);
	enum rule rule = share > 0 ? RULE_BAYES_SPAM : RULE_BAYES_WANTED;
	int64_t points = (int64_t)((double)rules_points(j->in->config, rule) * (share < 0 ? -share : share) / 1000);

	if (share != 0)
		judging_hit_points(j, rule, points, "%.3f: " STR_FMT, r->spam, STR_ARG(r->words));
}

err judge_words(struct judging *j)
{
	ARENA(memory, TOKENS_MEMORY);
	struct token *tokens;
	struct bayes_result r;
	size_t n;

	if (j->in->all == NULL && j->in->own == NULL)
		return OK;
	err e = tokens_of_content(&j->content, &memory, &tokens, &n);
	if (e == OK)
		e = bayes_judge(j->in->all, j->in->own, tokens, n, &j->own, &r);
	if (e == OK && r.known)
		say(j, &r);
	return e;
}
