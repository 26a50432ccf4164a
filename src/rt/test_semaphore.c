/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <string.h>

#include "rt/rt.h"

static struct semaphore s;
static char trace[64];

static void note(const char *z)
{
	strncat(trace, z, sizeof(trace) - strlen(trace) - 1);
}

static void simulate(void (*fn)(void *))
{
	trace[0] = '\0';
	assert_int_equal(rt_run_simulated(1, fn, NULL), OK);
}

static void take(void *arg)
{
	err e = semaphore_take(&s, rt_after(NSEC_PER_SEC));

	note(e == OK ? arg : e == E_TIMEOUT ? "timeout " : "cancelled ");
}

static void take_in_order(void *arg UNUSED)
{
	semaphore_init(&s, 2);
	rt_spawn(take, "a", "a");
	rt_spawn(take, "b", "b");
	rt_spawn(take, "c", "c");
	rt_spawn(take, "d", "d");
	rt_yield();
	note("|");
	semaphore_give(&s);
	note(semaphore_try(&s) ? "stolen" : "");
	rt_yield();
	semaphore_give(&s);
	rt_yield();
	semaphore_give(&s);
	note(semaphore_try(&s) ? "|free" : "|taken");
}

static void test_first_come_first_served(void **state UNUSED)
{
	simulate(take_in_order);
	assert_string_equal(trace, "ab|cd|free");
}

static void leave_the_queue(void *arg UNUSED)
{
	struct co *co[3];

	semaphore_init(&s, 0);
	co[0] = rt_spawn(take, "a", "a");
	co[1] = rt_spawn(take, "b", "b");
	co[2] = rt_spawn(take, "c", "c");
	rt_yield();
	rt_cancel(co[2]);
	rt_cancel(co[0]);
	semaphore_give(&s); /* a has not run yet, b gets it */
	rt_yield();
	semaphore_give(&s);
	note(semaphore_try(&s) ? "free " : "lost ");
	rt_spawn(take, "d", "d"); /* the queue's end is where it should be */
	rt_yield();
	semaphore_give(&s);
	rt_yield();
}

static void test_cancelled_in_the_queue(void **state UNUSED)
{
	simulate(leave_the_queue);
	assert_string_equal(trace, "cancelled cancelled bfree d");
}

static void wait_too_long(void *arg UNUSED)
{
	semaphore_init(&s, 0);
	rt_spawn(take, "a", "a");
	(void)!rt_sleep_until(rt_after(2 * NSEC_PER_SEC));
	semaphore_give(&s);
	note(semaphore_try(&s) ? "free" : "lost");
}

static void test_timeout(void **state UNUSED)
{
	simulate(wait_too_long);
	assert_string_equal(trace, "timeout free");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_come_first_served),
		cmocka_unit_test(test_cancelled_in_the_queue),
		cmocka_unit_test(test_timeout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
