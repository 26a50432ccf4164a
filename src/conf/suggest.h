/* SPDX-License-Identifier: ISC */
/* suggest - what was probably meant: offer every word that would have been right, then ask for the nearest. */
#ifndef CONF_SUGGEST_H
#define CONF_SUGGEST_H

#include "base/str.h"

struct suggestion {
	str word;         /* as written */
	const char *best; /* the nearest so far; NULL: none near enough. Offered words must live on */
	size_t distance;
};

/* Near enough is one slip in a short word, and one more for each five letters; none is for words above 32 bytes. */
struct suggestion suggest_begin(str word);
void suggest_offer(struct suggestion *s, const char *candidate);

/* Insertions, deletions, replacements and exchanges of neighbours that lead from a to b; SIZE_MAX when one is above 32 bytes. */
size_t edit_distance(str a, str b);

#endif
