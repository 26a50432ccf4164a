/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "rt/together.h"

struct sleeper {
	nsec time;
	err e;
	bool ended;
};

static err sleep_fn(void *ctx)
{
	struct sleeper *s = ctx;
	err e = rt_sleep_until(rt_after(s->time));

	s->ended = true;
	if (e != OK)
		return e;
	return s->e == OK ? OK : err_set(s->e, 451, "4.3.0", "as the test wants it");
}

static void all_at_once_run(void *arg UNUSED)
{
	struct sleeper s[3] = {{.time = 3 * NSEC_PER_SEC}, {.time = 5 * NSEC_PER_SEC}, {.time = NSEC_PER_SEC}};
	struct together_part parts[3] = {{.name = "a", .fn = sleep_fn, .ctx = &s[0]},
	                                 {.name = "b", .fn = sleep_fn, .ctx = &s[1]},
	                                 {.name = "c", .fn = sleep_fn, .ctx = &s[2]}};
	nsec begin = rt_now();

	assert_int_equal(together_run(parts, 3), OK);
	assert_true(s[0].ended && s[1].ended && s[2].ended);
	assert_int_equal(rt_now() - begin, 5 * NSEC_PER_SEC);
	assert_int_equal(together_run(parts, 0), OK);
}

static void a_fault_is_told_run(void *arg UNUSED)
{
	struct sleeper s[2] = {{.time = NSEC_PER_SEC, .e = E_MEMORY}, {.time = 2 * NSEC_PER_SEC}};
	struct together_part parts[2] = {{.name = "a", .fn = sleep_fn, .ctx = &s[0]},
	                                 {.name = "b", .fn = sleep_fn, .ctx = &s[1]}};

	assert_int_equal(together_run(parts, 2), E_MEMORY);
	assert_true(s[1].ended);
	assert_string_equal(err_info()->text, "as the test wants it");
	assert_int_equal(err_info()->reply, 451);
}

static void cancelled_fn(void *arg)
{
	struct sleeper *s = arg;
	struct together_part parts[2] = {{.name = "a", .fn = sleep_fn, .ctx = &s[0]},
	                                 {.name = "b", .fn = sleep_fn, .ctx = &s[1]}};

	assert_int_equal(together_run(parts, 2), E_CANCELLED);
	assert_true(s[0].ended && s[1].ended);
}

static void cancelled_run(void *arg UNUSED)
{
	static struct sleeper s[2] = {{.time = NSEC_PER_SEC}, {.time = 3600 * NSEC_PER_SEC}};
	struct co *co = rt_spawn(cancelled_fn, s, "victim");
	nsec begin = rt_now();

	assert_int_equal(rt_sleep_until(rt_after(2 * NSEC_PER_SEC)), OK);
	rt_cancel(co);
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
	assert_true(s[1].ended);
	assert_int_equal(rt_now() - begin, 3 * NSEC_PER_SEC);
}

#define SIMULATED(name)                                                      \
	static void name(void **state UNUSED)                                \
	{                                                                    \
		assert_int_equal(rt_run_simulated(1, name##_run, NULL), OK); \
	}
SIMULATED(all_at_once)
SIMULATED(a_fault_is_told)
SIMULATED(cancelled)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(a_fault_is_told),
		cmocka_unit_test(cancelled),
	};

	return cmocka_run_group_tests_name("together", tests, NULL, NULL);
}
