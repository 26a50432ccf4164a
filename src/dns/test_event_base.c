/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unbound-event.h>
#include <unistd.h>

#include "dns/event_base.h"
#include "rt/rt.h"

static struct ub_event_base *base;
static int calls, last_bits, ends[2];

static struct timeval milliseconds(int n)
{
	return (struct timeval){.tv_usec = n * 1000};
}

static void note(int fd UNUSED, short bits, void *arg)
{
	char c;

	calls++;
	last_bits = bits;
	if ((bits & UB_EV_READ) != 0 && arg != NULL)
		(void)!read(*(int *)arg, &c, 1);
}

static void sleep_ms(int n)
{
	assert_int_equal(rt_sleep_until(rt_after(n * NSEC_PER_MSEC)), OK);
}

static struct ub_event *event(int fd, short bits, void (*fn)(int, short, void *), void *arg)
{
	struct ub_event *e = base->vmt->new_event(base, fd, bits, fn, arg);

	assert_non_null(e);
	return e;
}

/* Level-triggered: three octets, one read a call. */
static void reading(void **state UNUSED)
{
	struct ub_event *e = event(ends[0], UB_EV_READ | UB_EV_PERSIST, note, &ends[0]);

	assert_int_equal(e->vmt->add(e, NULL), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	sleep_ms(20);
	assert_int_equal(calls, 3);
	e->vmt->del(e);
	assert_int_equal(write(ends[1], "d", 1), 1);
	sleep_ms(20);
	assert_int_equal(calls, 3);
	assert_int_equal(e->vmt->add(e, NULL), 0);
	sleep_ms(20);
	assert_int_equal(calls, 4);
	e->vmt->free(e);
}

static void once(void **state UNUSED)
{
	struct ub_event *e = event(ends[0], UB_EV_WRITE, note, NULL);

	e->vmt->add(e, NULL);
	sleep_ms(20);
	assert_int_equal(calls, 1);
	assert_int_equal(last_bits, UB_EV_WRITE);
	e->vmt->del_bits(e, UB_EV_WRITE);
	e->vmt->add_bits(e, UB_EV_READ);
	e->vmt->set_fd(e, ends[1]);
	struct timeval soon = milliseconds(10);
	e->vmt->add(e, &soon);
	sleep_ms(40);
	assert_int_equal(calls, 2);
	assert_int_equal(last_bits, UB_EV_TIMEOUT);
	e->vmt->free(e);
}

static void timers(void **state UNUSED)
{
	struct ub_event *a = event(-1, UB_EV_TIMEOUT, note, NULL), *b = event(-1, UB_EV_TIMEOUT, note, NULL);
	struct timeval soon = milliseconds(10), later = milliseconds(10000);

	b->vmt->add_timer(b, base, note, NULL, &later);
	a->vmt->add_timer(a, base, note, NULL, &soon); /* in front of the one that is waited for */
	sleep_ms(40);
	assert_int_equal(calls, 1);
	b->vmt->add_timer(b, base, note, NULL, &soon); /* moved */
	sleep_ms(40);
	assert_int_equal(calls, 2);
	a->vmt->add_timer(a, base, note, NULL, &soon);
	a->vmt->del_timer(a);
	sleep_ms(40);
	assert_int_equal(calls, 2);
	a->vmt->free(a);
	b->vmt->free(b);
}

static void free_the_other(int fd UNUSED, short bits UNUSED, void *arg)
{
	struct ub_event **it = arg;

	calls++;
	if (*it != NULL)
		(*it)->vmt->free(*it);
	*it = NULL;
}

/* Both are ready: the first that is called frees the other, which must not be called. */
static void freed_while_ready(void **state UNUSED)
{
	static struct ub_event *first, *second;

	first = event(ends[0], UB_EV_WRITE, free_the_other, &second);
	second = event(ends[1], UB_EV_WRITE, free_the_other, &first);
	first->vmt->add(first, NULL);
	second->vmt->add(second, NULL);
	sleep_ms(20);
	assert_int_equal(calls, 1);
	struct ub_event *left = first != NULL ? first : second;
	left->vmt->free(left);
}

/* A peer that is gone is both. */
static void hangup(void **state UNUSED)
{
	struct ub_event *e = event(ends[0], UB_EV_READ | UB_EV_WRITE, note, NULL);

	shutdown(ends[1], SHUT_RDWR);
	e->vmt->add(e, NULL);
	sleep_ms(20);
	assert_int_equal(calls, 1);
	assert_int_equal(last_bits, UB_EV_READ | UB_EV_WRITE);
	e->vmt->free(e);
}

static void no_signals(void **state UNUSED)
{
	struct ub_event *e = event(-1, 0, note, NULL);

	assert_null(base->vmt->new_signal(base, 15, note, NULL));
	assert_int_equal(e->vmt->add_signal(e, NULL), -1);
	assert_int_equal(e->vmt->del_signal(e), -1);
	e->vmt->free(e);
}

static int begin(void **state UNUSED)
{
	calls = 0;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0 ||
	       event_base_new(&base) != OK;
}

static int end(void **state UNUSED)
{
	event_base_free(base);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void run(void *arg)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reading, begin, end),
		cmocka_unit_test_setup_teardown(once, begin, end),
		cmocka_unit_test_setup_teardown(timers, begin, end),
		cmocka_unit_test_setup_teardown(freed_while_ready, begin, end),
		cmocka_unit_test_setup_teardown(hangup, begin, end),
		cmocka_unit_test_setup_teardown(no_signals, begin, end),
	};

	*(int *)arg = cmocka_run_group_tests_name("event_base", tests, NULL, NULL);
	rt_stop(); /* a failed test may leave something that waits */
}

int main(void)
{
	int failed = 1;

	return rt_run(run, &failed) == OK ? failed : 1;
}
