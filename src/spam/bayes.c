/* SPDX-License-Identifier: ISC */
#include "spam/bayes.h"

#include <math.h>
#include <stdlib.h>

/* Robinson's s (what is known before counts as much as so many messages) and x (what is known of a word that was never seen); what all recipients' mail shows counts as one
 * message beside the recipient's own. Words that say less than `deviation` are left out, and only the strongest count. Found by trial on mail of 2002: tests/test_spam_corpus.py. */
static const double strength = 1, unknown = 0.5, own_strength = 1, deviation = 0.2;
enum { STRONGEST_MAX = 300 };

enum { LEVELS = 64 };

struct evidence {
	double p; /* that a message with this word is spam */
	const struct token *token;
	size_t level; /* how much it says, roughly */
};

static bool is_taught(const struct model *m)
{
	return m != NULL && m->messages.good >= BAYES_LEARNED_MIN && m->messages.bad >= BAYES_LEARNED_MIN;
}

static double share(uint32_t with, uint32_t all)
{
	return with < all ? (double)with / all : 1;
}

/* (s x + n p(w)) / (s + n): what is known before, corrected by what was seen. */
static double learn(double before, double s, const struct model *m, struct model_counts c)
{
	double n = (double)c.good + c.bad;

	if (c.good + c.bad == 0)
		return before;
	double bad = share(c.bad, m->messages.bad), good = share(c.good, m->messages.good);
	return (s * before + n * (bad / (bad + good))) / (s + n);
}

static double weight(const struct evidence *e)
{
	return fabs(e->p - 0.5);
}

static size_t level_of(const struct evidence *e)
{
	size_t l = (size_t)(weight(e) * 2 * LEVELS);

	return l < LEVELS ? l : LEVELS - 1;
}

/* The strongest to the front, in the order in which they stand; how many there are now. */
static size_t keep_strongest(struct evidence *e, size_t n)
{
	size_t count[LEVELS] = {0}, least = LEVELS, above = 0, kept = 0;

	if (n <= STRONGEST_MAX)
		return n;
	for (size_t i = 0; i < n; i++)
		count[e[i].level]++;
	while (above + count[least - 1] < STRONGEST_MAX)
		above += count[--least];
	size_t room = STRONGEST_MAX - above; /* for those of the level below */
	for (size_t i = 0; i < n; i++) {
		size_t l = e[i].level;
		if (l < least && (l + 1 < least || room == 0))
			continue;
		room -= l < least;
		e[kept++] = e[i];
	}
	return kept;
}

/* Is -2 ln of a product of n probabilities as large as `x` by chance? The chi-square distribution with 2n degrees of freedom. */
static double chi_square(double x, size_t n)
{
	double m = x / 2, term = exp(-m), sum = term;

	for (size_t i = 1; i < n; i++) {
		term *= m / (double)i;
		sum += term;
	}
	return fmin(1, sum);
}

/* A product of many small numbers, as its logarithm. */
struct product {
	double log, rest;
};

static void multiply(struct product *p, double factor)
{
	p->rest *= factor;
	if (p->rest < 1e-200) {
		p->log += log(p->rest);
		p->rest = 1;
	}
}

static double combine(const struct evidence *e, size_t n)
{
	struct product spam = {0, 1}, good = {0, 1};

	for (size_t i = 0; i < n; i++) {
		multiply(&spam, 1 - e[i].p);
		multiply(&good, e[i].p);
	}
	double h = -2 * (good.log + log(good.rest)), s = -2 * (spam.log + log(spam.rest));
	return n == 0 ? 0.5 : (1 + chi_square(h, n) - chi_square(s, n)) / 2;
}

/* The strongest, the first of equals in front; how many. */
static size_t find_strongest(const struct evidence *e, size_t n, const struct evidence **best)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = found;
		while (at > 0 && weight(&e[i]) > weight(best[at - 1]))
			at--;
		if (at == BAYES_WORDS_MAX)
			continue;
		found += found < BAYES_WORDS_MAX;
		for (size_t k = found - 1; k > at; k--)
			best[k] = best[k - 1];
		best[at] = &e[i];
	}
	return found;
}

static str name_words(const struct evidence *e, size_t n, struct arena *a)
{
	const struct evidence *best[BAYES_WORDS_MAX];
	size_t found = find_strongest(e, n, best);
	BUF(out, 512);

	for (size_t i = 0; i < found; i++)
		buf_printf(&out, "%s" STR_FMT " %.2f", i == 0 ? "" : ", ", STR_ARG(best[i]->token->word), best[i]->p);
	return arena_str(a, buf_str(&out));
}

/* What a table says of some tokens changes what is known of them. */
static void learn_each(double *p, double s, const struct model *m, const uint64_t *hashes, size_t n)
{
	struct model_counts counts[MODEL_BATCH];

	if (!is_taught(m))
		return;
	model_find_each(m, hashes, n, counts);
	for (size_t i = 0; i < n; i++)
		p[i] = learn(p[i], s, m, counts[i]);
}

/* Those of a batch that say something. */
static size_t weigh_batch(const struct model *all, const struct model *own, const struct token *tokens, size_t n,
                          struct evidence *e)
{
	uint64_t hashes[MODEL_BATCH];
	double p[MODEL_BATCH];
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		hashes[i] = tokens[i].hash;
		p[i] = unknown;
	}
	learn_each(p, strength, all, hashes, n);
	learn_each(p, own_strength, own, hashes, n);
	for (size_t i = 0; i < n; i++) {
		e[found] = (struct evidence){.p = p[i], .token = &tokens[i]};
		e[found].level = level_of(&e[found]);
		found += weight(&e[found]) >= deviation;
	}
	return found;
}

static size_t weigh_words(const struct model *all, const struct model *own, const struct token *tokens, size_t n,
                          struct evidence *e)
{
	size_t found = 0;

	for (size_t at = 0; at < n; at += MODEL_BATCH)
		found += weigh_batch(all, own, &tokens[at], n - at < MODEL_BATCH ? n - at : MODEL_BATCH, &e[found]);
	return found;
}

err bayes_judge(const struct model *all, const struct model *own, const struct token *tokens, size_t n, struct arena *a,
                struct bayes_result *out)
{
	struct evidence *e;
	size_t found;

	*out = (struct bayes_result){.known = is_taught(all) || is_taught(own), .spam = 0.5};
	if (!out->known)
		return OK;
	e = malloc((n + 1) * sizeof *e);
	if (e == NULL)
		return err_note(E_MEMORY, "no memory to judge words");
	found = keep_strongest(e, weigh_words(all, own, tokens, n, e));
	out->spam = combine(e, found);
	out->words = name_words(e, found, a);
	free(e);
	return a->full ? err_note(E_LIMIT, "no memory to judge words") : OK;
}
