/* SPDX-License-Identifier: ISC */
#include "oauth/answers.h"

#include <stdio.h>

#include "base/test.h"

static struct answers table;

static void story(void *arg UNUSED)
{
	ARENA(a, 1 << 20);

	answers_put(&table, STR("one"), STR("alice@example.org"), rt_after(10 * NSEC_PER_SEC));
	assert_str(answers_find(&table, STR("one"), &a), "alice@example.org");
	assert_null(answers_find(&table, STR("two"), &a).p);
	assert_null(answers_find(&table, STR(""), &a).p);
	answers_put(&table, STR("two"), STR("bob@example.org"), rt_now()); /* counts no longer */
	assert_null(answers_find(&table, STR("two"), &a).p);
	assert_int_equal(rt_sleep_until(rt_after(9 * NSEC_PER_SEC)), OK);
	assert_str(answers_find(&table, STR("one"), &a), "alice@example.org");
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
	assert_null(answers_find(&table, STR("one"), &a).p);
}

/* What is found is the token's own, however many there are. */
static void many_story(void *arg UNUSED)
{
	char token[32], user[32];
	size_t found = 0;
	ARENA(a, 1 << 20);

	for (int i = 0; i < 5000; i++) {
		snprintf(token, sizeof(token), "token %d", i);
		snprintf(user, sizeof(user), "user %d", i);
		answers_put(&table, str_from(token), str_from(user), rt_after(NSEC_PER_SEC));
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(token, sizeof(token), "token %d", i);
		snprintf(user, sizeof(user), "user %d", i);
		str who = answers_find(&table, str_from(token), &a);
		if (who.p != NULL)
			assert_str(who, user);
		found += who.p != NULL;
	}
	assert_in_range(found, ANSWERS_MAX - 10, ANSWERS_MAX);
	answers_clear(&table);
	assert_null(answers_find(&table, STR("token 4999"), &a).p);
}

static void for_a_time(void **state UNUSED)
{
	assert_int_equal(rt_run_simulated(1, story, NULL), OK);
}

static void many(void **state UNUSED)
{
	assert_int_equal(rt_run_simulated(1, many_story, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(for_a_time), cmocka_unit_test(many)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
