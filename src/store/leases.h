/* SPDX-License-Identifier: ISC */
/* leases - which recipients of which messages are in the hands of `send`. In memory of the loop's thread: when the store dies, nothing is. */
#ifndef STORE_LEASES_H
#define STORE_LEASES_H

#include "link/messages.h"
#include "rt/rt.h"
#include "store/schedule.h"

enum { LEASE_RCPTS_MAX = 100, LEASE_FROM_MAX = 32 };

struct lease {
	uint64_t id, message;
	enum lease_why why;
	struct lane *lane; /* counts this one */
	uint64_t due;      /* of the first of its rows */
	nsec since;
	bool settling, gone;       /* is being settled; and its process is gone */
	char from[LEASE_FROM_MAX]; /* the process that has it */
	struct lease *next;        /* of the same message */
	uint64_t octets;           /* of its body, where that is a file in memory */
	size_t n;
	uint64_t rcpts[LEASE_RCPTS_MAX];
};

struct leases {
	struct map by_id, by_message;
	uint64_t next_id;
	uint64_t octets; /* of all */
};

/* `first`: greater than any number that was given out before. */
void leases_init(struct leases *l, uint64_t first);
void leases_free(struct leases *l);

/* A copy of `like`, with a number of its own. NULL: no memory. */
struct lease *leases_add(struct leases *l, const struct lease *like);
struct lease *leases_find(const struct leases *l, uint64_t id);
void leases_remove(struct leases *l, struct lease *lease); /* and frees it */
/* Counts the body, unless all together would have more than `most` octets; one alone may. */
MUST_USE bool leases_charge(struct leases *l, struct lease *lease, uint64_t octets, uint64_t most);
bool lease_has(const struct lease *lease, uint64_t rcpt);
bool leases_have(const struct leases *l, uint64_t message, uint64_t rcpt); /* is it in one? */

/* Calls `fn` for each lease, which it may remove. */
void leases_each(struct leases *l, void (*fn)(void *arg, struct lease *lease), void *arg);

#endif
