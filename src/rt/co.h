/* SPDX-License-Identifier: ISC */
/* co - a coroutine as the runtime sees it. The struct lies at the top of its own stack, so that an idle coroutine is
 * one page. Private to this room.
 */
#ifndef RT_CO_H
#define RT_CO_H

#include "rt/rt.h"

/* RUNNING: on the processor or in a ready list. The others wait: PARKED for rt_wake, BLOCKED for somebody in this
 * room (a descriptor, a semaphore, an instant), THREAD for rt_wake_from_thread. */
enum co_state { CO_RUNNING, CO_PARKED, CO_BLOCKED, CO_THREAD, CO_DEAD };

struct co {
	void *sp;                     /* while it does not run */
	struct co *next;              /* in a ready list */
	struct co *prev_in, *next_in; /* in loop->active or loop->idle */
	struct co *next_woken;        /* in loop->woken; written by other threads */
	size_t timer;                 /* its place in the heap + 1; 0: none */
	nsec stopped_at;              /* when it last began to wait */
	void (*fn)(void *arg);
	void *arg;
	const char *name;
	char *stack;
	void *fake_stack; /* AddressSanitizer's */
	uint8_t state;    /* enum co_state */
	uint8_t result;   /* err; of the wait that ended */
	bool idle;        /* in loop->idle: its stack is trimmed */
	bool was_parked;  /* made ready out of PARKED and did not run since */
	bool cancelled;
	bool woken; /* an rt_wake came before the park */
	bool woken_by_thread;
	struct err_info info;
};

struct co_queue { /* first in, first out */
	struct co *head, *tail;
};

void co_queue_push(struct co_queue *q, struct co *co);
struct co *co_queue_pop(struct co_queue *q);                     /* NULL: empty */
void co_queue_append(struct co_queue *q, struct co_queue *from); /* from becomes empty */

struct co_list { /* any order */
	struct co *head;
};

void co_list_add(struct co_list *l, struct co *co);
void co_list_remove(struct co_list *l, struct co *co);

/* Lays a coroutine out at the top of `stack`, ready to be entered. */
struct co *co_create(char *stack, void (*fn)(void *arg), void *arg, const char *name);
/* Runs `co` until it waits or ends (state CO_DEAD); called by the loop. */
void co_enter(struct co *co);
/* Ends the running coroutine's turn: returns when the loop enters it again. */
void co_leave(void);
/* Waits in `state` until co_resume: its result; E_TIMEOUT, or E_CANCELLED (not in CO_THREAD). */
MUST_USE err co_wait(enum co_state state, nsec deadline);
/* Makes a waiting coroutine ready; nothing if it does not wait. */
void co_resume(struct co *co, err result);
bool co_waits(const struct co *co);

#endif
