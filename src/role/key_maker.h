/* SPDX-License-Identifier: ISC */
/* key_maker - makes the keys of domains that are missing, or too old, beside everything else: one after the other, each in a worker, with a pause as long as it took,
 * so that a first start with thousands of domains holds nothing up. What is made is told to the roles in batches; mail of a domain whose keys are not made yet is not
 * signed.
 */
#ifndef ROLE_KEY_MAKER_H
#define ROLE_KEY_MAKER_H

#include "role/credentials.h"

struct key_maker {
	struct credentials *credentials;
	struct children *children;   /* `config` of it is what counts */
	struct semaphore *exclusive; /* held while credentials are renewed or added to */
	struct co *sleeper;          /* until there may be more to do; NULL: at work */
	bool look_again;
	uint64_t made[CHILDREN_MORE_MAX]; /* numbers of those that nobody was told yet */
	size_t made_n;
	bool removed; /* some of those that they were told are gone */
	nsec told;    /* when the last batch was */
	nsec logged;
};

void key_maker_run(void *arg);                /* a coroutine: struct key_maker */
void key_maker_look_now(struct key_maker *m); /* the configuration, or the keys, are others now */

#endif
