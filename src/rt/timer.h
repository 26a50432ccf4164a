/* SPDX-License-Identifier: ISC */
/* timer - the deadlines of waiting coroutines: a heap with four children a node, each coroutine knows its place in
 * it. */
#ifndef RT_TIMER_H
#define RT_TIMER_H

#include "rt/rt.h"

struct timer {
	nsec at;
	struct co *co;
};

struct timers {
	struct timer *heap;
	size_t count, size;
};

/* Room for `count` timers: timer_add cannot fail until then. False: no memory. */
MUST_USE bool timers_reserve(struct timers *t, size_t count);
void timers_free(struct timers *t);
void timer_add(struct timers *t, struct co *co, nsec at); /* a coroutine has one at most */
void timer_remove(struct timers *t, struct co *co);       /* nothing if it has none */
nsec timers_next(const struct timers *t);                 /* the earliest, RT_NEVER when there is none */
struct co *timers_expired(struct timers *t, nsec now);    /* takes the earliest off if it is due, else NULL */

#endif
