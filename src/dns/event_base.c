/* SPDX-License-Identifier: ISC */
#include "dns/event_base.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <unbound-event.h>
#include <unistd.h>

#include "dns/timer_heap.h"

enum { READY_MAX = 64 };

typedef void event_callback(int fd, short bits, void *arg);

struct base {
	struct ub_event_base super; /* first: libunbound's view */
	int epoll;                  /* level-triggered, as libunbound expects it */
	struct rt_fd readiness;     /* of `epoll` */
	struct timer_heap timers;
	size_t events; /* that exist: room in `timers` */
	struct co *waits_for_readiness, *waits_for_timers, *awaited_by;
	struct epoll_event ready[READY_MAX];
	int ready_n;
};

struct event {
	struct ub_event super; /* first: libunbound's view */
	struct base *base;
	struct timer_entry timer;
	int fd;
	short bits;
	event_callback *callback;
	void *arg;
	nsec interval; /* of a timer that persists */
	bool watched;  /* its descriptor is */
};

static struct base *base_of(struct ub_event_base *b)
{
	return (struct base *)b;
}

static struct event *event_of(struct ub_event *e)
{
	return (struct event *)e;
}

/* --- what an event waits for --- */

static void timer_start(struct event *e, const struct timeval *after)
{
	struct base *b = e->base;

	e->interval = after->tv_sec * NSEC_PER_SEC + after->tv_usec * 1000;
	timer_heap_set(&b->timers, &e->timer, rt_after(e->interval));
	if (timer_heap_first(&b->timers) == &e->timer)
		rt_wake(b->waits_for_timers);
}

/* What is ready already and not called yet is not called any more. */
static void forget_ready(struct event *e)
{
	struct base *b = e->base;

	for (int i = 0; i < b->ready_n; i++)
		if (b->ready[i].data.ptr == e)
			b->ready[i].data.ptr = NULL;
}

static int deactivate(struct ub_event *ev)
{
	struct event *e = event_of(ev);

	timer_heap_remove(&e->base->timers, &e->timer);
	forget_ready(e);
	if (e->watched)
		(void)epoll_ctl(e->base->epoll, EPOLL_CTL_DEL, e->fd,
		                NULL); /* it may be closed: then it is out already */
	e->watched = false;
	return 0;
}

static int watch(struct event *e)
{
	struct epoll_event want = {.data.ptr = e};

	want.events |= (e->bits & UB_EV_READ) != 0 ? (uint32_t)EPOLLIN : 0;
	want.events |= (e->bits & UB_EV_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0;
	if (e->fd < 0 || want.events == 0)
		return 0;
	int result = epoll_ctl(e->base->epoll, e->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, e->fd, &want);
	if (result != 0 && errno == EEXIST)
		result = epoll_ctl(e->base->epoll, EPOLL_CTL_MOD, e->fd, &want);
	e->watched = result == 0;
	return result;
}

static int activate(struct ub_event *ev, struct timeval *timeout)
{
	struct event *e = event_of(ev);

	if (timeout != NULL)
		timer_start(e, timeout);
	return watch(e);
}

/* --- calling back --- */

struct callback {
	struct event *event;
	short bits;
};

/* It may free the event. */
static void call_back(void *arg)
{
	const struct callback *c = arg;

	c->event->callback(c->event->fd, c->bits, c->event->arg);
}

static void call(struct event *e, short bits, bool timed)
{
	struct callback c = {e, bits};

	if ((e->bits & UB_EV_PERSIST) == 0)
		(void)deactivate(&e->super);
	else if (timed)
		timer_heap_set(&e->base->timers, &e->timer, rt_after(e->interval));
	rt_deep(call_back, &c); /* libunbound wants more stack than a coroutine has */
}

static void call_ready(struct base *b)
{
	for (int i = 0; i < b->ready_n; i++) {
		struct event *e = b->ready[i].data.ptr;
		uint32_t got = b->ready[i].events;
		int bits = 0;

		if (e == NULL)
			continue;
		if ((got & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
			bits |= e->bits & UB_EV_READ;
		if ((got & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
			bits |= e->bits & UB_EV_WRITE;
		if (bits != 0)
			call(e, (short)bits, e->timer.place != 0);
	}
	b->ready_n = 0;
}

static void ended(struct base *b, struct co **co)
{
	*co = NULL;
	if (b->awaited_by != NULL)
		rt_wake(b->awaited_by);
}

static void readiness_run(void *arg)
{
	struct base *b = arg;

	while (rt_fd_wait_readable(&b->readiness, RT_NEVER) == OK) {
		while (!rt_cancelled() && (b->ready_n = epoll_wait(b->epoll, b->ready, READY_MAX, 0)) > 0) {
			call_ready(b);
			rt_yield(); /* others, too */
		}
		b->ready_n = 0;
	}
	ended(b, &b->waits_for_readiness);
}

static void timers_run(void *arg)
{
	struct base *b = arg;

	while (!rt_cancelled()) {
		struct timer_entry *first = timer_heap_first(&b->timers);

		if (first == NULL || first->at > rt_now()) {
			(void)!rt_park(first == NULL ? RT_NEVER : first->at);
			continue;
		}
		timer_heap_remove(&b->timers, first);
		call(first->owner, UB_EV_TIMEOUT, true);
	}
	ended(b, &b->waits_for_timers);
}

/* --- what libunbound calls --- */

static void add_bits(struct ub_event *ev, short bits)
{
	event_of(ev)->bits = (short)(event_of(ev)->bits | bits);
}

static void del_bits(struct ub_event *ev, short bits)
{
	event_of(ev)->bits = (short)(event_of(ev)->bits & ~bits);
}

static void set_fd(struct ub_event *ev, int fd)
{
	event_of(ev)->fd = fd;
}

static void event_free(struct ub_event *ev)
{
	(void)deactivate(ev);
	event_of(ev)->base->events--;
	free(ev);
}

static int add_timer(struct ub_event *ev, struct ub_event_base *b UNUSED, event_callback *callback, void *arg,
                     struct timeval *after)
{
	struct event *e = event_of(ev);

	e->callback = callback;
	e->arg = arg;
	timer_start(e, after);
	return 0;
}

static int del_timer(struct ub_event *ev)
{
	timer_heap_remove(&event_of(ev)->base->timers, &event_of(ev)->timer);
	return 0;
}

static int no_signal_add(struct ub_event *ev UNUSED, struct timeval *timeout UNUSED)
{
	return -1;
}

static int no_signal_del(struct ub_event *ev UNUSED)
{
	return -1;
}

static struct ub_event *event_new(struct ub_event_base *base, int fd, short bits, event_callback *callback, void *arg)
{
	static struct ub_event_vmt functions = {
		.add_bits = add_bits,
		.del_bits = del_bits,
		.set_fd = set_fd,
		.free = event_free,
		.add = activate,
		.del = deactivate,
		.add_timer = add_timer,
		.del_timer = del_timer,
		.add_signal = no_signal_add,
		.del_signal = no_signal_del,
	};
	struct base *b = base_of(base);
	struct event *e = timer_heap_reserve(&b->timers, b->events + 1) ? calloc(1, sizeof(*e)) : NULL;

	if (e == NULL)
		return NULL;
	*e = (struct event){.super = {UB_EVENT_MAGIC, &functions},
	                    .base = b,
	                    .fd = fd,
	                    .bits = bits,
	                    .callback = callback,
	                    .arg = arg,
	                    .timer.owner = e};
	b->events++;
	return &e->super;
}

static struct ub_event *no_signal(struct ub_event_base *b UNUSED, int fd UNUSED, event_callback *callback UNUSED,
                                  void *arg UNUSED)
{
	return NULL;
}

/* --- its life --- */

err event_base_new(struct ub_event_base **out)
{
	static struct ub_event_base_vmt functions = {.new_event = event_new, .new_signal = no_signal};
	struct base *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return err_note(E_MEMORY, "no memory to wait for name servers");
	b->super = (struct ub_event_base){UB_EVENT_MAGIC, &functions};
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	rt_fd_init(&b->readiness, b->epoll);
	if (b->epoll >= 0)
		b->waits_for_readiness = rt_spawn(readiness_run, b, "dns");
	if (b->waits_for_readiness != NULL)
		b->waits_for_timers = rt_spawn(timers_run, b, "dns timers");
	if (b->waits_for_timers != NULL) {
		*out = &b->super;
		return OK;
	}
	event_base_free(&b->super);
	return err_note(E_MEMORY, "no descriptors or memory to wait for name servers");
}

void event_base_free(struct ub_event_base *base)
{
	struct base *b = base_of(base);

	if (b->waits_for_readiness != NULL)
		rt_cancel(b->waits_for_readiness);
	if (b->waits_for_timers != NULL)
		rt_cancel(b->waits_for_timers);
	b->awaited_by = rt_self();
	while (b->waits_for_readiness != NULL || b->waits_for_timers != NULL)
		if (rt_park(RT_NEVER) != OK)
			rt_yield(); /* cancelled ourselves */
	rt_fd_close(&b->readiness);
	timer_heap_free(&b->timers);
	free(b);
}
