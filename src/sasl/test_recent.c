/* SPDX-License-Identifier: ISC */
#include "sasl/recent.h"

#include "base/test.h"

static void remembers(void **state)
{
	(void)state;
	struct recent r;

	recent_init(&r, 10);
	assert_int_equal(recent_until(&r, STR("a")), 0);
	recent_put(&r, STR("a"), 5);
	recent_put(&r, STR("b"), 6);
	recent_put(&r, STR(""), 7);
	recent_put(&r, STR("a"), 8);
	assert_int_equal(recent_until(&r, STR("a")), 8);
	assert_int_equal(recent_until(&r, STR("b")), 6);
	assert_int_equal(recent_until(&r, STR("")), 7);
	recent_free(&r);
}

static void forgets_what_was_put_longest_ago(void **state)
{
	(void)state;
	struct recent r;
	static const char names[] = "abcdefghij";

	recent_init(&r, 3);
	for (size_t i = 0; i < 10; i++) {
		recent_put(&r, STR("kept"), 1);
		recent_put(&r, str_make(&names[i], 1), 2);
		assert_true(r.map.count <= 3);
	}
	assert_int_equal(recent_until(&r, STR("kept")), 1);
	assert_int_equal(recent_until(&r, STR("j")), 2);
	assert_int_equal(recent_until(&r, STR("i")), 2);
	assert_int_equal(recent_until(&r, STR("h")), 0);
	recent_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers),
		cmocka_unit_test(forgets_what_was_put_longest_ago),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
