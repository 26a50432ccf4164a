/* SPDX-License-Identifier: ISC */
/* The kernel's side of the loop: epoll, and wakes from other threads. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rt/loop.h"

#define EVENTS   256
#define KEY_WAKE UINT64_MAX

err loop_open_events(struct rt_loop *l)
{
	/* Edge-triggered: never read, each write is an edge. */
	struct epoll_event wake = {.events = EPOLLIN | EPOLLET, .data.u64 = KEY_WAKE};

	l->now = clock_monotonic();
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd >= 0 && l->wake_fd >= 0 && epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &wake) == 0)
		return OK;

	err e = err_note(E_IO, "epoll: %s", strerrordesc_np(errno));

	loop_close_events(l);
	return e;
}

void loop_close_events(struct rt_loop *l)
{
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	free(l->slots);
}

static int timeout_msec(const struct rt_loop *l, nsec until)
{
	if (until == RT_NEVER)
		return -1;
	if (until <= l->now)
		return 0;

	nsec msec = (until - l->now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;

	return msec < INT_MAX ? (int)msec : INT_MAX;
}

void loop_wait_events(struct rt_loop *l, nsec until)
{
	struct epoll_event events[EVENTS];
	int timeout = timeout_msec(l, until);

	/* A thread that wakes somebody either is seen by the look at `woken`, or sees `sleeping` and writes. */
	if (timeout != 0) {
		atomic_store(&l->sleeping, true);
		if (atomic_load(&l->woken))
			timeout = 0;
	}

	int n = epoll_wait(l->epoll_fd, events, EVENTS, timeout);

	atomic_store_explicit(&l->sleeping, false, memory_order_relaxed);
	l->now = clock_monotonic();
	for (int i = 0; i < n; i++) {
		if (events[i].data.u64 != KEY_WAKE)
			fd_event(l, events[i].data.u64, events[i].events);
	}
	loop_take_woken(l);
}

void loop_take_woken(struct rt_loop *l)
{
	struct co *newest =
		atomic_load_explicit(&l->woken, memory_order_relaxed) ? atomic_exchange(&l->woken, NULL) : NULL;
	struct co *oldest = NULL;

	while (newest) {
		struct co *next = newest->next_woken;

		newest->next_woken = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest) {
		struct co *next = oldest->next_woken;

		if (oldest->state == CO_THREAD)
			co_resume(oldest, OK);
		else
			oldest->woken_by_thread = true;
		oldest = next;
	}
}

void rt_wake_from_thread(struct rt_loop *loop, struct co *co)
{
	static const uint64_t one = 1;
	struct co *newest = atomic_load(&loop->woken);

	do {
		co->next_woken = newest;
	} while (!atomic_compare_exchange_weak(&loop->woken, &newest, co));
	if (atomic_load(&loop->sleeping))
		(void)!write(loop->wake_fd, &one, sizeof(one));
}
