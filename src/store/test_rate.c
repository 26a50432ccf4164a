/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "store/rate.h"

static const nsec hour = 3600 * NSEC_PER_SEC;

static void test_an_hour_has_its_limit(void **state UNUSED)
{
	struct rate r;
	bool first;

	rate_init(&r);
	assert_int_equal(rate_take(&r, STR("one"), 6, 10, 5, &first), OK);
	assert_int_equal(rate_take(&r, STR("one"), 5, 10, 6, &first), E_LIMIT);
	assert_int_equal(err_info()->reply, 450);
	assert_true(first);
	assert_int_equal(rate_take(&r, STR("one"), 5, 10, 6, &first), E_LIMIT);
	assert_false(first);
	assert_int_equal(rate_take(&r, STR("one"), 4, 10, 7, &first), OK);
	assert_int_equal(rate_take(&r, STR("two"), 10, 10, 7, &first), OK); /* another account */
	assert_int_equal(rate_take(&r, STR("one"), 1, 10, hour + 4, &first), E_LIMIT);
	assert_int_equal(rate_take(&r, STR("one"), 10, 10, hour + 5, &first), OK);
	assert_int_equal(rate_take(&r, STR("one"), 1, 10, hour + 5, &first), E_LIMIT);
	assert_true(first);
	rate_free(&r);
}

static void test_what_was_not_sent_is_given_back(void **state UNUSED)
{
	struct rate r;
	bool first;

	rate_init(&r);
	rate_give_back(&r, STR("one"), 3);
	assert_int_equal(rate_take(&r, STR("one"), 10, 10, 0, &first), OK);
	rate_give_back(&r, STR("one"), 4);
	assert_int_equal(rate_take(&r, STR("one"), 5, 10, 0, &first), E_LIMIT);
	assert_int_equal(rate_take(&r, STR("one"), 4, 10, 0, &first), OK);
	rate_free(&r);
}

static void test_no_limit(void **state UNUSED)
{
	struct rate r;
	bool first;

	rate_init(&r);
	assert_int_equal(rate_take(&r, STR("one"), UINT64_MAX, 0, 0, &first), OK);
	assert_int_equal(rate_take(&r, STR("one"), UINT64_MAX, 10, 0, &first), E_LIMIT);
	rate_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_hour_has_its_limit),
		cmocka_unit_test(test_what_was_not_sent_is_given_back),
		cmocka_unit_test(test_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
