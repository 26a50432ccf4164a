/* SPDX-License-Identifier: ISC */
/* Starting, waiting, waking. */
#include "rt/loop.h"

struct co *rt_spawn(void (*fn)(void *arg), void *arg, const char *name)
{
	struct rt_loop *l = loop_current;

	if (l == NULL || !timers_reserve(&l->timers, l->count + 1))
		return NULL;

	char *stack = stack_take(&l->stacks);

	if (stack == NULL)
		return NULL;

	struct co *co = co_create(stack, fn, arg, name);

	co->cancelled = l->cancelled_all;
	co_list_add(&l->active, co);
	co_queue_push(&l->ready, co);
	l->count++;
	return co;
}

struct co *rt_self(void)
{
	return loop_current ? loop_current->running : NULL;
}

struct rt_loop *rt_loop(void)
{
	return loop_current;
}

size_t rt_count(void)
{
	return loop_current ? loop_current->count : 0;
}

void rt_cancel(struct co *co)
{
	co->cancelled = true;
	if (co->state != CO_THREAD)
		co_resume(co, E_CANCELLED);
}

bool rt_cancelled(void)
{
	struct co *co = rt_self();

	return co && co->cancelled;
}

err rt_sleep_until(nsec instant)
{
	err e = co_wait(CO_BLOCKED, instant);

	return e == E_TIMEOUT ? OK : e;
}

void rt_yield(void)
{
	struct rt_loop *l = loop_current;

	co_queue_push(&l->yielded, l->running);
	co_leave();
}

err rt_park(nsec deadline)
{
	struct co *co = rt_self();

	if (co->woken && !co->cancelled) {
		co->woken = false;
		return OK;
	}
	return co_wait(CO_PARKED, deadline);
}

void rt_wake(struct co *co)
{
	if (co->state == CO_PARKED)
		co_resume(co, OK);
	else if (!co->was_parked)
		co->woken = true;
	else if (co->result == E_TIMEOUT) /* it has not run since: in time after all */
		co->result = OK;
}

void rt_park_uncancelled(void)
{
	struct co *co = rt_self();

	if (!co->woken_by_thread)
		(void)!co_wait(CO_THREAD, RT_NEVER);
	co->woken_by_thread = false;
}

void rt_at_round_end(struct rt_round *r)
{
	struct rt_loop *l = loop_current;

	if (r->queued)
		return;
	r->queued = true;
	r->next = NULL;
	*l->rounds_tail = r;
	l->rounds_tail = &r->next;
}
