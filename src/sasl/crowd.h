/* SPDX-License-Identifier: ISC */
/* crowd - who is there at the same time, counted by client, so that one client that comes a thousand times is in
 * nobody's way but its own.
 *
 * Each client has a share; one that has no key ("", nobody counts it) has as much as there is. Who enters beyond the
 * client's share makes one of that client leave; who enters when the crowd is full makes one leave of the client
 * that has most. Which one: `leaves`. Members live at their owners'; nothing here waits.
 */
#ifndef SASL_CROWD_H
#define SASL_CROWD_H

#include "base/map.h"

struct crowd_client;

struct crowd_member {
	void *of;                           /* the owner's */
	struct crowd_client *client;        /* NULL: not in a crowd */
	struct crowd_member *older, *newer; /* of the same client */
};

enum crowd_leaves { CROWD_OLDEST, CROWD_NEWEST }; /* who is evicted */

struct crowd {
	struct map clients;
	struct crowd_client *first, *last; /* in the order in which it is their turn */
	size_t n, max, share;
	enum crowd_leaves leaves;
	void (*evict)(struct crowd_member *m); /* after it has left */
};

void crowd_init(struct crowd *c, size_t max, size_t share, enum crowd_leaves leaves,
                void (*evict)(struct crowd_member *m));
void crowd_free(struct crowd *c); /* when all have left */

/* E_BUSY: there was no place for this one. E_MEMORY. */
MUST_USE err crowd_enter(struct crowd *c, struct crowd_member *m, str client);
void crowd_leave(struct crowd *c, struct crowd_member *m); /* nothing when it is not there */

/* The oldest member of the client whose turn it is, which has left; the client's next turn is after all others'.
 * NULL: nobody is there. */
struct crowd_member *crowd_next(struct crowd *c);

#endif
