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

static void keeps_values(void **state)
{
	(void)state;
	struct recent r;

	recent_init(&r, 2);
	assert_int_equal(recent_value(&r, STR("a")).n, 0);
	recent_put_value(&r, STR("a"), 5, STR("one"));
	assert_str(recent_value(&r, STR("a")), "one");
	recent_put(&r, STR("a"), 6);
	assert_str(recent_value(&r, STR("a")), "one");
	assert_int_equal(recent_until(&r, STR("a")), 6);
	recent_put_value(&r, STR("a"), 7, STR("a longer one"));
	recent_put(&r, STR("b"), 7);
	assert_str(recent_value(&r, STR("a")), "a longer one");
	assert_int_equal(recent_value(&r, STR("b")).n, 0);
	recent_put_value(&r, STR(""), 7, STR("x"));
	assert_str(recent_value(&r, STR("")), "x");
	assert_int_equal(recent_until(&r, STR("a")), 0);
	recent_forget(&r);
	assert_int_equal(recent_until(&r, STR("b")), 0);
	recent_put(&r, STR("c"), 8);
	assert_int_equal(recent_until(&r, STR("c")), 8);
	recent_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers),
		cmocka_unit_test(forgets_what_was_put_longest_ago),
		cmocka_unit_test(keeps_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
