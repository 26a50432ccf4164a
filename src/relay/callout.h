/* SPDX-License-Identifier: ISC */
/* callout - asking an inner server whether it has a recipient, while a client of ours waits for an answer. */
#ifndef RELAY_CALLOUT_H
#define RELAY_CALLOUT_H

#include "base/map.h"
#include "link/messages.h"
#include "rt/rt.h"

struct asking;

struct callouts {
	struct map answers;   /* for a while */
	struct asking *first; /* what is being asked */
	size_t asking;
};
void callouts_init(struct callouts *c);
void callouts_stop(struct callouts *c); /* ends what is being asked, and returns when nothing is */
void callouts_free(struct callouts *c);

#endif
