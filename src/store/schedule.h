/* SPDX-License-Identifier: ISC */
/* schedule - whose turn it is: destinations that have mail, and deliverers that wait for some. In memory of the loop's thread, one struct a
 * destination, however much mail it has. Pure: the database is asked by `fill`, and the time (microseconds since 1970) is an argument.
 *
 * Within a destination senders take turns: each has a lane (store/message.h), which it shares with few others, and each lane gives a message in turn.
 *
 * A destination is in a ring while there is something to be done for it (they take turns), in a heap when there will be, by that time, and in neither
 * when nothing can be done until a lease ends. One that has no mail, no leases and nobody who waits for it is forgotten.
 */
#ifndef STORE_SCHEDULE_H
#define STORE_SCHEDULE_H

#include "base/map.h"

enum {
	SCHEDULE_PAGE = 64,     /* messages read ahead */
	SCHEDULE_WINDOW = 5,    /* leases that a destination begins with */
	SCHEDULE_IN_A_ROW = 100 /* leases for the same destination while nobody serves others */
};
#define SCHEDULE_NEVER UINT64_MAX

/* Messages of a lane that are due. */
struct page {
	uint64_t messages[SCHEDULE_PAGE];
	size_t at, n;  /* the next to be given out; how many there are */
	uint64_t due;  /* of the first */
	uint64_t next; /* due of what comes behind the page; SCHEDULE_NEVER nothing */
};

/* In a ring of those of a destination that have mail, or leases. */
struct lane {
	struct destination *destination;
	uint64_t number;
	uint64_t due; /* nothing is due before that is neither leased nor in the page */
	uint64_t leases;
	struct page *page; /* NULL: to be read */
	struct lane *prev, *next;
};

struct destination {
	struct lane *lanes;      /* whose turn is next; NULL: there are none */
	uint64_t blocked;        /* not reached: before this only what needs no attempt is leased */
	uint64_t rest;           /* the database failed: it is not asked before */
	uint64_t window, leases; /* how many there may be at once, and are */
	unsigned in_a_row;
	bool called;    /* somebody was turned away elsewhere to serve it */
	bool put_off;   /* rows may be due later only because it was not reached */
	bool back;      /* it was reached since: they are due now (queue_back.c) */
	size_t waiting; /* deliverers that wait for this one */
	uint64_t at;    /* in the heap: when it is looked at */
	size_t heap_at; /* its place there + 1; 0: not in it */
	bool ready;     /* in the ring */
	struct destination *prev, *next;
	str name; /* behind this struct */
};

/* A deliverer that waits. */
struct waiter {
	struct co *co;             /* whom to wake */
	struct destination *wants; /* NULL: any */
	bool over;                 /* it waits no more: it was given something, or turned away */
	struct destination *given; /* a lease of this destination was counted for it */
	struct lane *lane;         /* of it */
	uint64_t message, due;     /* for this message, which is not due before */
	struct waiter *prev, *next;
};
struct waiters {
	struct waiter *head, *tail;
};

struct schedule {
	struct map by_name;
	struct destination **heap;
	size_t heap_n, heap_size;
	struct destination *ring; /* whose turn is next; NULL: empty */
	struct waiters any, own;
	uint64_t per_destination; /* most leases of one; may change at any time */
	/* Reads up to SCHEDULE_PAGE messages of a lane with unleased rows that are due from `from` to `limit`, in order of due. With fewer,
	 * out->next is behind `limit`. */
	err (*fill)(void *ctx, const struct lane *lane, uint64_t from, uint64_t limit, struct page *out);
	void *ctx;
};

void schedule_init(struct schedule *s, uint64_t per_destination);
void schedule_free(struct schedule *s); /* nobody waits any more */

/* There is mail for it in this lane at `due`, or perhaps something changed there. E_MEMORY. */
MUST_USE err schedule_due(struct schedule *s, str name, uint64_t lane, uint64_t due, uint64_t now);
struct destination *schedule_find(const struct schedule *s, str name); /* NULL: nothing is known of it */

/* Puts a waiter at the end of the list, with `co` set; `wants` "": any. E_MEMORY. */
MUST_USE err schedule_wait(struct schedule *s, struct waiter *w, str wants);
/* Ends its wait; nothing if that is over. */
void schedule_leave(struct schedule *s, struct waiter *w, uint64_t now);
/* Who is to be woken: w->given, or NULL when it is turned away, because others need a deliverer more. NULL: nobody. To be called until it says
 * so whenever something changed and when schedule_next comes. Those who wait for a destination come before those who wait for any. */
struct waiter *schedule_serve(struct schedule *s, uint64_t now);
uint64_t schedule_next(const struct schedule *s); /* SCHEDULE_NEVER */

/* What becomes of a lease that was given. `due`: of what it leaves behind, SCHEDULE_NEVER nothing. Lane and destination may be forgotten then. */
void schedule_lease_end(struct schedule *s, struct lane *lane, uint64_t due, uint64_t now);
/* More is left, for another lease. schedule_lease_end comes later. */
void schedule_lease_leaves(struct schedule *s, struct lane *lane, uint64_t due, uint64_t now);
/* True: it was not reached before, and mail of later may be due now. */
bool schedule_reached(const struct schedule *s, struct destination *d);
void schedule_block(struct destination *d, uint64_t until); /* schedule_lease_end comes after these */
void schedule_unblock(struct schedule *s, str name, uint64_t now);

#endif
