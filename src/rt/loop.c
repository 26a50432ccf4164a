/* SPDX-License-Identifier: ISC */
/* A round: run whatever is ready, and what that makes ready; then the hooks of the round's end; then sleep until
 * something happens. Events are handed out before any coroutine runs again.
 */
#include <malloc.h>

#include "base/log.h"
#include "rt/loop.h"

#define PASSES        16 /* over the ready list before events are looked at again */
#define SWEEP_EVERY   (250 * NSEC_PER_MSEC)
#define SWEEP_AT_ONCE 256

_Thread_local struct rt_loop *loop_current;

static void loop_bury(struct rt_loop *l, struct co *co)
{
	co_list_remove(co->idle ? &l->idle : &l->active, co);
	l->count--;
	stack_give(&l->stacks, co->stack); /* `co` lies on it */
}

static void loop_run_ready(struct rt_loop *l)
{
	for (int pass = 0; pass < PASSES && l->ready.head; pass++) {
		struct co_queue batch = l->ready;
		struct co *co;

		l->ready.head = NULL;
		while ((co = co_queue_pop(&batch))) {
			co_enter(co);
			if (co->state == CO_DEAD)
				loop_bury(l, co);
		}
	}
	co_queue_append(&l->ready, &l->yielded);
}

static void loop_end_round(struct rt_loop *l)
{
	struct rt_round *r = l->rounds;

	l->rounds = NULL;
	l->rounds_tail = &l->rounds;
	while (r) {
		struct rt_round *next = r->next;

		r->queued = false;
		r->fn(r->arg);
		r = next;
	}
	log_flush();
}

static void loop_cancel_all(struct rt_loop *l)
{
	l->cancelled_all = true;
	for (struct co *co = l->active.head; co; co = co->next_in)
		rt_cancel(co);
	for (struct co *co = l->idle.head; co; co = co->next_in)
		rt_cancel(co);
}

/* Trims the stacks of coroutines that have waited for a while since they last ran; an idle loop comes here once. */
static void loop_sweep(struct rt_loop *l)
{
	int trimmed = 0;

	for (struct co *co = l->active.head, *next; co && trimmed < SWEEP_AT_ONCE; co = next) {
		next = co->next_in;
		if (!co_waits(co) || l->now - co->stopped_at < SWEEP_EVERY)
			continue;
		stack_trim(co->stack, (const char *)co->sp);
		co_list_remove(&l->active, co);
		co_list_add(&l->idle, co);
		co->idle = true;
		trimmed++;
	}
	if (trimmed < SWEEP_AT_ONCE)
		stack_pool_trim(&l->stacks);
	l->sweep_at = l->now + (trimmed < SWEEP_AT_ONCE ? SWEEP_EVERY : NSEC_PER_MSEC);
}

static bool loop_wants_sweep(const struct rt_loop *l)
{
	return l->active.head || stack_pool_wants_trim(&l->stacks);
}

static nsec loop_sleeps_until(const struct rt_loop *l)
{
	if (l->ready.head || l->rounds)
		return 0;

	nsec until = timers_next(&l->timers);

	return loop_wants_sweep(l) && l->sweep_at < until ? l->sweep_at : until;
}

static void loop_wait(struct rt_loop *l)
{
	struct co *co;

	if (!l->simulated)
		loop_wait_events(l, loop_sleeps_until(l));
	else if (l->ready.head == NULL && l->rounds == NULL)
		sim_advance(l);
	while ((co = timers_expired(&l->timers, l->now)))
		co_resume(co, E_TIMEOUT);
	if (!l->simulated && l->now >= l->sweep_at)
		loop_sweep(l);
}

static void loop_rounds(struct rt_loop *l)
{
	while (l->count > 0) {
		loop_run_ready(l);
		loop_end_round(l);
		if (l->stopping && !l->cancelled_all)
			loop_cancel_all(l);
		if (l->count > 0)
			loop_wait(l);
	}
}

static err loop_run(struct rt_loop *l, void (*fn)(void *arg), void *arg)
{
	loop_current = l;
	l->rounds_tail = &l->rounds;
	if (rt_spawn(fn, arg, "main"))
		loop_rounds(l);
	else
		l->failure = E_MEMORY;
	workers_stop(l->workers);
	loop_current = NULL;
	pool_close(&l->buffers);
	stack_pool_close(&l->stacks);
	timers_free(&l->timers);
	return l->failure;
}

/* Freed message batches must not go back to the kernel only to be faulted in again. */
static void tune_malloc(void)
{
	static atomic_flag done = ATOMIC_FLAG_INIT;

	if (atomic_flag_test_and_set(&done))
		return;
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 32 << 20);
	mallopt(M_ARENA_MAX, 2);
}

err rt_run(void (*fn)(void *arg), void *arg)
{
	struct rt_loop l = {.epoll_fd = -1, .wake_fd = -1};

	tune_malloc();

	err e = loop_open_events(&l);

	if (e != OK)
		return e;
	e = loop_run(&l, fn, arg);
	loop_close_events(&l);
	return e == OK ? OK : err_note(e, "no memory for a coroutine");
}

err rt_run_simulated(uint64_t seed, void (*fn)(void *arg), void *arg)
{
	struct rt_loop l = {.epoll_fd = -1, .wake_fd = -1, .simulated = true, .random = seed};
	err e = loop_run(&l, fn, arg);

	return e == OK ? OK
	               : err_note(e, e == E_BUSY ? "all coroutines wait for each other" : "no memory for a coroutine");
}

void rt_stop(void)
{
	loop_current->stopping = true;
}
