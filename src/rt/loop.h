/* SPDX-License-Identifier: ISC */
/* loop - the state of one event loop. Private to this room. */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include <stdatomic.h>

#include "rt/co.h"
#include "rt/pool.h"
#include "rt/stack.h"
#include "rt/timer.h"

struct workers;

/* Which rt_fd a descriptor's events belong to. The generation tells the events of one registration from those of the
 * next. */
struct fd_slot {
	struct rt_fd *f;
	uint32_t generation;
};

struct rt_loop {
	struct co *running;             /* NULL: the loop itself */
	struct co_queue ready, yielded; /* yielded: not before the next round */
	struct co_list active, idle;    /* every coroutine is in one; idle: stack trimmed, waits since */
	size_t count;                   /* of coroutines */
	void *sp;                       /* the loop's own, while a coroutine runs */
	void (*deep)(void *arg);        /* rt_deep's, until the loop has called it; NULL */
	void *deep_arg;
	bool is_deep;
	nsec now;
	nsec sweep_at; /* when stacks are trimmed next */
	struct timers timers;
	struct rt_round *rounds, **rounds_tail;
	struct stack_pool stacks;
	struct pool buffers;
	struct workers *workers;    /* NULL: not started */
	_Atomic(struct co *) woken; /* by other threads, newest first */
	atomic_bool sleeping;       /* a thread must write to wake_fd */
	int epoll_fd, wake_fd;      /* -1 under simulation */
	struct fd_slot *slots;      /* by descriptor */
	size_t slot_count;
	bool stopping, cancelled_all, simulated;
	err failure;      /* what rt_run returns */
	uint64_t random;  /* state, under simulation */
	void *fake_stack; /* AddressSanitizer's, of the loop's own stack */
	const void *stack_bottom;
	size_t stack_size;
};

extern _Thread_local struct rt_loop *loop_current; /* NULL outside rt_run */

nsec clock_monotonic(void);                       /* the system's, read now */
MUST_USE err loop_open_events(struct rt_loop *l); /* epoll and wake_fd */
void loop_close_events(struct rt_loop *l);
/* Waits up to `until` (an instant; 0: does not wait) for events and hands them out; sets l->now. */
void loop_wait_events(struct rt_loop *l, nsec until);
void loop_take_woken(struct rt_loop *l); /* what other threads woke becomes ready */
void fd_event(struct rt_loop *l, uint64_t key, uint32_t events);

/* The simulated counterpart: moves the clock to the next deadline; a deadlock ends the run with E_BUSY. */
void sim_advance(struct rt_loop *l);
uint64_t sim_random(struct rt_loop *l);
int64_t sim_wall(const struct rt_loop *l);

void workers_stop(struct workers *w); /* NULL allowed; joins the threads */

#endif
