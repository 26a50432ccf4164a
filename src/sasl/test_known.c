/* SPDX-License-Identifier: ISC */
#include "sasl/known.h"

#include <stdio.h>

#include "base/test.h"

#define DAY (86400 * NSEC_PER_SEC)

static void networks(void *arg)
{
	struct known *k = arg;

	known_note(k, 1, STR("\xc0\0\2\1"));
	known_note(k, 2, STR("\x20\1\xd\xb8\0\0\0\7"));
	assert_true(known_is(k, 1, STR("\xc0\0\2\1")));
	assert_true(known_is(k, 1, STR("\xc0\0\2\xff"))); /* of the same /24 */
	assert_false(known_is(k, 1, STR("\xc0\0\3\1")));
	assert_false(known_is(k, 2, STR("\xc0\0\2\1")));
	assert_true(known_is(k, 2, STR("\x20\1\xd\xb8\0\0\0\7")));
	assert_false(known_is(k, 2, STR("\x20\1\xd\xb8\0\0\0\6")));
	assert_false(known_is(k, 3, STR("\xc0\0\2\1")));
	known_note(k, 1, STR_NONE);
	assert_false(known_is(k, 1, STR_NONE));
}

static void for_a_month(void *arg)
{
	struct known *k = arg;

	known_note(k, 1, STR("aaaa"));
	assert_int_equal(rt_sleep_until(rt_after(20 * DAY)), OK);
	known_note(k, 1, STR("bbbb"));
	assert_int_equal(rt_sleep_until(rt_after(11 * DAY)), OK);
	assert_false(known_is(k, 1, STR("aaaa")));
	assert_true(known_is(k, 1, STR("bbbb")));
	known_note(k, 1, STR("bbbb"));
	assert_int_equal(rt_sleep_until(rt_after(29 * DAY)), OK);
	assert_true(known_is(k, 1, STR("bbbb")));
}

static void the_last_sixteen(void *arg)
{
	struct known *k = arg;
	char client[8];

	for (int i = 10; i < 27; i++) {
		snprintf(client, sizeof(client), "%dxx", i);
		known_note(k, 1, str_make(client, 4));
		known_note(k, 1, STR("home"));
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
	}
	assert_true(known_is(k, 1, STR("home")));
	assert_true(known_is(k, 1, STR("26xx")));
	assert_true(known_is(k, 1, STR("12xx")));
	assert_false(known_is(k, 1, STR("11xx")));
}

/* Beyond what is kept somebody is forgotten; nothing depends on whom. */
static void very_many(void *arg)
{
	struct known *k = arg;

	for (uint64_t account = 1; account <= 100003; account++)
		known_note(k, account, STR("home"));
	assert_int_equal(k->accounts.count, 100000);
	assert_true(known_is(k, 100003, STR("home")));
}

/* A day's first login is noted; a network is known again by what was noted. */
static void over_a_restart(void *arg)
{
	struct known *k = arg, anew;
	ARENA(a, 1000);
	uint64_t then = (uint64_t)rt_wall();

	assert_str(known_due(k, 1, STR("\xc0\0\2\1"), &a), "c00002");
	known_note(k, 1, STR("\xc0\0\2\1"));
	assert_int_equal(rt_sleep_until(rt_after(DAY - 1)), OK);
	assert_str(known_due(k, 1, STR("\xc0\0\2\1"), &a), "");
	assert_str(known_due(k, 1, STR("\xc0\0\3\1"), &a), "c00003");
	assert_str(known_due(k, 2, STR("\xc0\0\2\1"), &a), "c00002");
	assert_str(known_due(k, 1, STR_NONE, &a), "");
	assert_int_equal(rt_sleep_until(rt_after(1)), OK);
	assert_str(known_due(k, 1, STR("\xc0\0\2\1"), &a), "c00002");
	known_init(&anew);
	known_learn(&anew, 1, STR("c00002"), then);
	known_learn(&anew, 1, STR("zz"), then);
	known_learn(&anew, 1, STR("000102030405060708"), then);
	known_learn(&anew, 1, STR("c00003"), then + 2 * 86400ull * 1000000);
	assert_true(known_is(&anew, 1, STR("\xc0\0\2\1")));
	assert_false(known_is(&anew, 1, STR("\xc0\0\3\1")));
	assert_int_equal(anew.accounts.count, 1);
	assert_str(known_due(&anew, 1, STR("\xc0\0\2\1"), &a), "c00002");
	assert_int_equal(rt_sleep_until(rt_after(29 * DAY)), OK);
	assert_false(known_is(&anew, 1, STR("\xc0\0\2\1")));
	known_free(&anew);
}

static void run(void (*story)(void *arg))
{
	struct known k;

	known_init(&k);
	assert_int_equal(rt_run_simulated(1, story, &k), OK);
	known_free(&k);
}

static void test_networks(void **state)
{
	(void)state;
	run(networks);
}

static void test_for_a_month(void **state)
{
	(void)state;
	run(for_a_month);
}

static void test_the_last_sixteen(void **state)
{
	(void)state;
	run(the_last_sixteen);
}

static void test_over_a_restart(void **state)
{
	(void)state;
	run(over_a_restart);
}

static void test_very_many(void **state)
{
	(void)state;
	run(very_many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),         cmocka_unit_test(test_for_a_month),
		cmocka_unit_test(test_the_last_sixteen), cmocka_unit_test(test_over_a_restart),
		cmocka_unit_test(test_very_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
