/* SPDX-License-Identifier: ISC */
#include "dns/timer_heap.h"

#include <stdlib.h>

bool timer_heap_reserve(struct timer_heap *h, size_t n)
{
	size_t size = h->size > 0 ? h->size : 64;

	if (n <= h->size)
		return true;
	while (size < n)
		size *= 2;
	struct timer_entry **grown = reallocarray(h->items, size, sizeof(struct timer_entry *));
	if (grown == NULL)
		return false;
	h->items = grown;
	h->size = size;
	return true;
}

static void put(struct timer_heap *h, size_t place, struct timer_entry *e)
{
	h->items[place - 1] = e;
	e->place = place;
}

static void move_up(struct timer_heap *h, struct timer_entry *e)
{
	size_t place = e->place;

	while (place > 1 && h->items[place / 2 - 1]->at > e->at) {
		put(h, place, h->items[place / 2 - 1]);
		place /= 2;
	}
	put(h, place, e);
}

static void move_down(struct timer_heap *h, struct timer_entry *e)
{
	size_t place = e->place;

	while (2 * place <= h->n) {
		size_t child = 2 * place;

		if (child < h->n && h->items[child]->at < h->items[child - 1]->at)
			child++;
		if (h->items[child - 1]->at >= e->at)
			break;
		put(h, place, h->items[child - 1]);
		place = child;
	}
	put(h, place, e);
}

void timer_heap_set(struct timer_heap *h, struct timer_entry *e, nsec at)
{
	e->at = at;
	if (e->place == 0)
		put(h, ++h->n, e);
	move_up(h, e);
	move_down(h, e);
}

void timer_heap_remove(struct timer_heap *h, struct timer_entry *e)
{
	if (e->place == 0)
		return;
	struct timer_entry *last = h->items[--h->n];
	if (last != e) {
		put(h, e->place, last);
		move_up(h, last);
		move_down(h, last);
	}
	e->place = 0;
}

struct timer_entry *timer_heap_first(const struct timer_heap *h)
{
	return h->n == 0 ? NULL : h->items[0];
}

void timer_heap_free(struct timer_heap *h)
{
	free(h->items);
	*h = (struct timer_heap){0};
}
