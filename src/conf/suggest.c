/* SPDX-License-Identifier: ISC */
#include "conf/suggest.h"

enum { WORD_MAX = 32 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance: one cell of its matrix, from those above and to the left. */
static size_t cell(size_t d[][WORD_MAX + 1], str a, str b, size_t i, size_t j)
{
	bool same = a.p[i - 1] == b.p[j - 1];
	size_t n = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + !same);

	if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
		n = least(n, d[i - 2][j - 2] + 1);
	return n;
}

size_t edit_distance(str a, str b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];

	if (a.n > WORD_MAX || b.n > WORD_MAX)
		return SIZE_MAX;
	for (size_t i = 0; i <= a.n; i++)
		for (size_t j = 0; j <= b.n; j++)
			d[i][j] = i == 0 ? j : j == 0 ? i : cell(d, a, b, i, j);
	return d[a.n][b.n];
}

struct suggestion suggest_begin(str word)
{
	return (struct suggestion){.word = word, .distance = word.n / 5 + 2};
}

void suggest_offer(struct suggestion *s, const char *candidate)
{
	size_t n = edit_distance(s->word, str_from(candidate));

	if (n < s->distance) {
		s->best = candidate;
		s->distance = n;
	}
}
