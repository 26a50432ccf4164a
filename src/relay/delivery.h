/* SPDX-License-Identifier: ISC */
/* delivery - one lease, from the first look to what became of each of its recipients. */
#ifndef RELAY_DELIVERY_H
#define RELAY_DELIVERY_H

#include "relay/outcome.h"

struct delivery {
	struct relay *relay;
	const struct lease_reply *lease;
	str session; /* for logs */
	struct arena *arena;
	struct config *config; /* that it began with, the caller's */
	/* out */
	struct relay_way way;
	struct outcome *outcomes; /* one for each recipient, in order */
	bool *handed_on;          /* relayed, to a server that knows DSN */
	int64_t destination_due;  /* of the settlement */
	bool put_off;             /* no attempt was made: its host is busy with others of us; there are no outcomes */
	/* on the way */
	bool *decided;
	struct trouble trouble; /* of those that nobody answered for; one that passes outweighs one that does not */
	bool answered;          /* a server answered for a recipient */
	bool busy;              /* a host was passed over because it has enough of our deliverers */
	nsec until;             /* all of it takes no longer */
};

/* Tries, over `connection` when there is one for the same destination and it suits, else over new ones; what is left in it is the caller's and can be used for more. On OK every
 * recipient has an outcome. E_CANCELLED; E_TEMP: no memory to begin with. */
MUST_USE err delivery_run(struct delivery *d, struct relay_connection **connection);
/* After E_CANCELLED: `kept` becomes its lease, with no more recipients than those that a server has taken or refused for good. How many. */
size_t delivery_keep_decided(struct delivery *d, struct lease_reply *kept);

#endif
