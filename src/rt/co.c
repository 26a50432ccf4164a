/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "rt/co.h"
#include "rt/loop.h"
#include "rt/switch.h"

#if STACK_SANITIZED
#include <sanitizer/common_interface_defs.h>
#else
/* AddressSanitizer wants to know which stack it is on. */
static inline void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size)
{
	(void)save, (void)bottom, (void)size;
}
static inline void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size)
{
	(void)fake, (void)bottom, (void)size;
}
#endif

void co_queue_push(struct co_queue *q, struct co *co)
{
	co->next = NULL;
	if (q->head)
		q->tail->next = co;
	else
		q->head = co;
	q->tail = co;
}

struct co *co_queue_pop(struct co_queue *q)
{
	struct co *co = q->head;

	if (co)
		q->head = co->next;
	return co;
}

void co_queue_append(struct co_queue *q, struct co_queue *from)
{
	if (from->head == NULL)
		return;
	if (q->head)
		q->tail->next = from->head;
	else
		q->head = from->head;
	q->tail = from->tail;
	from->head = NULL;
}

void co_list_add(struct co_list *l, struct co *co)
{
	co->prev_in = NULL;
	co->next_in = l->head;
	if (l->head)
		l->head->prev_in = co;
	l->head = co;
}

void co_list_remove(struct co_list *l, struct co *co)
{
	if (co->prev_in)
		co->prev_in->next_in = co->next_in;
	else
		l->head = co->next_in;
	if (co->next_in)
		co->next_in->prev_in = co->prev_in;
}

static void co_main(void)
{
	struct rt_loop *l = loop_current;
	struct co *co = l->running;

	__sanitizer_finish_switch_fiber(NULL, &l->stack_bottom, &l->stack_size);
	co->fn(co->arg);
	co->state = CO_DEAD;
	co_leave();
	__builtin_unreachable();
}

struct co *co_create(char *stack, void (*fn)(void *arg), void *arg, const char *name)
{
	size_t room = (sizeof(struct co) + 63) & ~(size_t)63;
	char *top = stack + STACK_SIZE - room;
	struct co *co = (struct co *)(void *)top;

	memset(co, 0, sizeof(*co));
	co->fn = fn;
	co->arg = arg;
	co->name = name;
	co->stack = stack;
	co->sp = switch_prepare(top, STACK_SIZE - room, co_main);
	return co;
}

/* What the coroutine wants to have called on this stack. */
static bool run_deep(struct rt_loop *l)
{
	void (*fn)(void *arg) = l->deep;

	if (fn == NULL)
		return false;
	l->is_deep = true;
	fn(l->deep_arg);
	l->is_deep = false;
	l->deep = NULL;
	return true;
}

void rt_deep(void (*fn)(void *arg), void *arg)
{
	struct rt_loop *l = loop_current;

	if (l->is_deep) {
		fn(arg);
		return;
	}
	l->deep = fn;
	l->deep_arg = arg;
	co_leave();
}

void co_enter(struct co *co)
{
	struct rt_loop *l = loop_current;

	co->was_parked = false;
	l->running = co;
	err_slot = &co->info;
	do {
		__sanitizer_start_switch_fiber(&l->fake_stack, co->stack, STACK_SIZE);
		switch_stack(&l->sp, co->sp);
		__sanitizer_finish_switch_fiber(l->fake_stack, NULL, NULL);
	} while (run_deep(l));
	err_slot = NULL;
	l->running = NULL;
}

void co_leave(void)
{
	struct rt_loop *l = loop_current;
	struct co *co = l->running;

	/* NULL tells the sanitizer that this stack is left for good. */
	__sanitizer_start_switch_fiber(co->state == CO_DEAD ? NULL : &co->fake_stack, l->stack_bottom, l->stack_size);
	switch_stack(&co->sp, l->sp);
	__sanitizer_finish_switch_fiber(co->fake_stack, &l->stack_bottom, &l->stack_size);
}

bool co_waits(const struct co *co)
{
	return co->state == CO_PARKED || co->state == CO_BLOCKED || co->state == CO_THREAD;
}

static err co_wait_result(err result)
{
	if (result == E_TIMEOUT)
		return err_note(E_TIMEOUT, "timed out");
	if (result == E_CANCELLED)
		return err_note(E_CANCELLED, "cancelled");
	return result;
}

err co_wait(enum co_state state, nsec deadline)
{
	struct rt_loop *l = loop_current;

	assert(l && l->running && !l->is_deep);

	struct co *co = l->running;

	if (co->cancelled && state != CO_THREAD)
		return co_wait_result(E_CANCELLED);
	if (deadline != RT_NEVER)
		timer_add(&l->timers, co, deadline);
	if (co->idle) {
		co_list_remove(&l->idle, co);
		co_list_add(&l->active, co);
		co->idle = false;
	}
	co->stopped_at = l->now;
	co->state = (uint8_t)state;
	co_leave();
	return co_wait_result(co->result);
}

void co_resume(struct co *co, err result)
{
	struct rt_loop *l = loop_current;

	if (!co_waits(co))
		return;
	timer_remove(&l->timers, co);
	co->was_parked = co->state == CO_PARKED;
	co->state = CO_RUNNING;
	co->result = (uint8_t)result;
	co_queue_push(&l->ready, co);
}
