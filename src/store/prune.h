/* SPDX-License-Identifier: ISC */
/* prune - what the filter found out, reputations, contacts and the like are not kept for ever: by age (`spam history`) and by number. Small steps, some each hour. */
#ifndef STORE_PRUNE_H
#define STORE_PRUNE_H

#include "store/state.h"

MUST_USE err pruner_start(struct store *s);
void pruner_stop(struct store *s); /* asks; store_close waits */

/* How much is kept; what is older than `history` goes all the same. */
struct prune_limits {
	uint64_t now, history;                                               /* microseconds */
	uint64_t refusals, reputations, contacts, reports, tallies, lessons; /* rows */
	uint64_t words, own_words; /* of all, and of an account, that are seen once */
};
struct prune_limits prune_limits_of(const struct store *s);
MUST_USE err prune(struct store *s, const struct prune_limits *limits,
                   uint64_t *removed); /* parks; inside of store_enter */

#endif
