/* SPDX-License-Identifier: ISC */
/* rate - how much each who submits sends in an hour, so that a stolen password does not send a hundred thousand. An hour begins with the first
 * message. In memory of the loop's thread; a restart forgets. */
#ifndef STORE_RATE_H
#define STORE_RATE_H

#include "base/map.h"
#include "rt/rt.h"

struct rate {
	struct map by_name;
};

void rate_init(struct rate *r);
void rate_free(struct rate *r);

/* Takes `n` of the hour of `who`, any name that is another for another. E_LIMIT (450 4.7.1): so many are not left, nothing was taken; *first: it is the first refusal of this hour.
 * limit 0: none. */
MUST_USE err rate_take(struct rate *r, str who, uint64_t n, uint64_t limit, nsec now, bool *first);
void rate_give_back(struct rate *r, str who, uint64_t n); /* they were not sent after all */

#endif
