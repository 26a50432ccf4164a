/* SPDX-License-Identifier: ISC */
/* timer_heap - timers by the instant at which they are due; each knows its place, so that it can be taken out. */
#ifndef DNS_TIMER_HEAP_H
#define DNS_TIMER_HEAP_H

#include "rt/rt.h"

struct timer_entry {
	nsec at;
	size_t place; /* counted from 1; 0: not in the heap */
	void *owner;
};

struct timer_heap { /* all zero: empty */
	struct timer_entry **items;
	size_t n, size;
};

/* Room for `n` entries: timer_heap_set cannot fail until then. */
MUST_USE bool timer_heap_reserve(struct timer_heap *h, size_t n);
void timer_heap_set(struct timer_heap *h, struct timer_entry *e, nsec at); /* adds it, or moves it */
void timer_heap_remove(struct timer_heap *h, struct timer_entry *e);       /* nothing when it is not in */
struct timer_entry *timer_heap_first(const struct timer_heap *h);          /* NULL: none */
void timer_heap_free(struct timer_heap *h);

#endif
