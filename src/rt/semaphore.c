/* SPDX-License-Identifier: ISC */
#include "rt/co.h"

struct rt_waiter { /* on the waiting coroutine's stack */
	struct co *co;
	struct rt_waiter *next;
	bool granted;
};

void semaphore_init(struct semaphore *s, size_t n)
{
	*s = (struct semaphore){.free = n};
	s->tail = &s->head;
}

bool semaphore_try(struct semaphore *s)
{
	if (s->free == 0)
		return false;
	s->free--;
	return true;
}

static void semaphore_leave(struct semaphore *s, struct rt_waiter *w)
{
	struct rt_waiter **at = &s->head;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (w->next == NULL)
		s->tail = at;
}

err semaphore_take(struct semaphore *s, nsec deadline)
{
	struct rt_waiter w = {.co = rt_self()};

	if (semaphore_try(s))
		return OK;
	*s->tail = &w;
	s->tail = &w.next;

	err e = co_wait(CO_BLOCKED, deadline);

	if (!w.granted)
		semaphore_leave(s, &w);
	return e;
}

void semaphore_give(struct semaphore *s)
{
	struct rt_waiter *w = s->head;

	/* Who timed out or was cancelled leaves by itself when it runs. */
	while (w && !co_waits(w->co))
		w = w->next;
	if (w == NULL) {
		s->free++;
		return;
	}
	semaphore_leave(s, w);
	w->granted = true;
	co_resume(w->co, OK);
}
