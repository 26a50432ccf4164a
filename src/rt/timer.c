/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "rt/co.h"
#include "rt/timer.h"

#define CHILDREN 4

static void timer_place(struct timers *t, size_t i, struct timer timer)
{
	t->heap[i] = timer;
	timer.co->timer = i + 1;
}

static void timer_rise(struct timers *t, size_t i, struct timer timer)
{
	while (i > 0 && t->heap[(i - 1) / CHILDREN].at > timer.at) {
		timer_place(t, i, t->heap[(i - 1) / CHILDREN]);
		i = (i - 1) / CHILDREN;
	}
	timer_place(t, i, timer);
}

static size_t timer_earliest_child(const struct timers *t, size_t i)
{
	size_t first = i * CHILDREN + 1;
	size_t best = first;

	for (size_t c = first + 1; c < first + CHILDREN && c < t->count; c++) {
		if (t->heap[c].at < t->heap[best].at)
			best = c;
	}
	return best;
}

static void timer_sink(struct timers *t, size_t i, struct timer timer)
{
	while (i * CHILDREN + 1 < t->count) {
		size_t child = timer_earliest_child(t, i);

		if (t->heap[child].at >= timer.at)
			break;
		timer_place(t, i, t->heap[child]);
		i = child;
	}
	timer_place(t, i, timer);
}

bool timers_reserve(struct timers *t, size_t count)
{
	if (count <= t->size)
		return true;

	size_t size = t->size ? t->size * 2 : 64;
	struct timer *grown;

	while (size < count)
		size *= 2;
	grown = reallocarray(t->heap, size, sizeof(*grown));
	if (grown == NULL)
		return false;
	t->heap = grown;
	t->size = size;
	return true;
}

void timers_free(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){0};
}

void timer_add(struct timers *t, struct co *co, nsec at)
{
	timer_rise(t, t->count++, (struct timer){at, co});
}

void timer_remove(struct timers *t, struct co *co)
{
	if (co->timer == 0)
		return;

	size_t i = co->timer - 1;
	struct timer last = t->heap[--t->count];

	co->timer = 0;
	if (last.co == co)
		return;
	if (i > 0 && t->heap[(i - 1) / CHILDREN].at > last.at)
		timer_rise(t, i, last);
	else
		timer_sink(t, i, last);
}

nsec timers_next(const struct timers *t)
{
	return t->count ? t->heap[0].at : RT_NEVER;
}

struct co *timers_expired(struct timers *t, nsec now)
{
	if (t->count == 0 || t->heap[0].at > now)
		return NULL;

	struct co *co = t->heap[0].co;

	timer_remove(t, co);
	return co;
}
