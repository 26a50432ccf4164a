/* SPDX-License-Identifier: ISC */
/* What the files of the queue share. Belongs to the loop's thread. */
#ifndef STORE_QUEUE_STATE_H
#define STORE_QUEUE_STATE_H

#include "store/leases.h"
#include "store/queue.h"
#include "store/state.h"

struct queue {
	struct schedule schedule;
	struct leases leases;
	struct map watched; /* message: those who wait for its fate (fate.c) */
	struct co *co;      /* wakes deliverers when the time comes, and looks for what is over */
	uint64_t wake_at;   /* microseconds: when it looks at the schedule the next time */
	nsec sweep_at;
	struct { /* queue_clock.h */
		uint64_t wall; /* what the wall clock said */
		nsec at;       /* then */
		nsec written;
	} clock;
	bool back;   /* a destination is (queue_back.h) */
	bool missed; /* there was no memory for a destination: they are to be read again */
};

static inline uint64_t queue_now(void)
{
	return (uint64_t)rt_wall();
}

/* A destination is back. */
void queue_wake_for_back(struct store *s);
/* Wakes who can be served. After every change of the schedule. */
void queue_dispatch(struct store *s);
/* The lease is over; what it leaves behind is due at `due` (SCHEDULE_NEVER: nothing). */
void queue_lease_end(struct store *s, struct lease *lease, uint64_t due);
void queue_give_back(struct store *s, struct lease *lease, const char *why); /* all of it, unsettled */

/* A recipient in the queue. */
struct queue_row {
	uint64_t message, rcpt;
	str destination;
	uint64_t lane;
};

/* Something that the submitter can see has changed. */
void fate_changed(struct store *s, uint64_t message);
void fate_close(struct store *s); /* wakes all who wait */

#endif
