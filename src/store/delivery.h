/* SPDX-License-Identifier: ISC */
/* delivery - what becomes of a message for one of those whom its recipients lead to.
 *
 *	DELIVER     here: INBOX; elsewhere: the queue
 *	JUNK        here: the mailbox Junk (or INBOX, `spam junk-inbox`); elsewhere: the queue, for the header says what it is - but what an alias or a user's
 *	            .forward sends on to servers that are none of ours is quarantined: they would take us for its source
 *	QUARANTINE  a row of the queue that waits for `pombo quarantine`
 *	DISCARD     a credit in the ledger, and nothing else; so is what an alias sends nowhere
 */
#ifndef STORE_DELIVERY_H
#define STORE_DELIVERY_H

#include "store/counters.h"
#include "store/route.h"
#include "store/state.h"
#include "store/trust.h"

/* A final recipient. */
struct delivery {
	size_t rcpt; /* in the request */
	const struct route_target *target;
	uint64_t disposition;
	uint64_t into; /* mailbox here */
	str rule;      /* by which it is discarded, if it is */
	struct trust trust;
	struct mailbox_state *mailbox; /* the writer's; NULL: on another server */
	size_t next;                   /* of the same mailbox, in the envelope; 0 none */
};

/* On the loop, parks: `disposition`, `into` and `trust` of each. A mailbox Junk is made when it is needed first; an empty one may be left when the message
 * is not accepted. */
MUST_USE err deliveries_decide(struct store *s, const struct accept_request *q, struct delivery *list, size_t n,
                               struct arena *a);

/* By which rule a message is discarded for this one: its alias, or as the findings say. */
str delivery_rule(const struct accept_request *q, const struct delivery *d, struct arena *a);

#endif
