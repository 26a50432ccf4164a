/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "role/tasks.h"

static struct tasks tasks;
static int ran, cancelled;

static void sleeper(void *arg)
{
	err e = rt_sleep_until(rt_after(*(const nsec *)arg));

	ran += e == OK;
	cancelled += e == E_CANCELLED;
}

static void start(const nsec *time)
{
	assert_int_equal(tasks_start(&tasks, sleeper, (void *)(uintptr_t)time, "sleeper"), OK);
}

static void run_wait_and_stop(void *arg UNUSED)
{
	static const nsec times[] = {NSEC_PER_SEC, 2 * NSEC_PER_SEC, 30 * NSEC_PER_SEC, 40 * NSEC_PER_SEC};

	assert_int_equal(tasks_wait(&tasks, RT_NEVER), OK); /* none */
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		start(&times[i]);
	assert_int_equal(tasks.n, 4);
	assert_int_equal(tasks_wait(&tasks, rt_after(3 * NSEC_PER_SEC)), E_TIMEOUT);
	assert_int_equal(tasks.n, 2);
	tasks_stop(&tasks);
	assert_int_equal(tasks.n, 0);
	assert_int_equal(ran, 2);
	assert_int_equal(cancelled, 2);
	start(&times[0]);
	assert_int_equal(tasks_wait(&tasks, RT_NEVER), OK);
	assert_int_equal(ran, 3);
	rt_stop();
	start(&times[3]);
	rt_yield();
	tasks_stop(&tasks); /* by somebody who is cancelled himself */
	assert_int_equal(tasks.n, 0);
}

static void test_wait_and_stop(void **state UNUSED)
{
	assert_int_equal(rt_run_simulated(1, run_wait_and_stop, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_and_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
