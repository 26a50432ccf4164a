/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "conf/points.h"

static void both_ways(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t points;
	} all[] = {{"0", 0},     {"5", 5000},       {"1.5", 1500}, {"-0.25", -250},
	           {"0.001", 1}, {"12.034", 12034}, {"-3", -3000}, {"1000", POINTS_MAX}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		BUF(out, 64);
		int64_t v = 77;

		assert_true(points_parse(str_from(all[i].text), &v));
		assert_int_equal(v, all[i].points);
		points_print(&out, v);
		assert_str(buf_str(&out), all[i].text);
	}
}

static void more_than_one_way_to_write_it(void **state UNUSED)
{
	int64_t v;

	assert_true(points_parse(STR("1.50"), &v));
	assert_int_equal(v, 1500);
	assert_true(points_parse(STR("-0"), &v));
	assert_int_equal(v, 0);
}

static void what_is_none(void **state UNUSED)
{
	static const char *const wrong[] = {"",   "-",    ".",        ".5",  "5.",   "1.2345", "1,5",
	                                    "+1", "1001", "1000.001", "--1", "1.-5", "1e3",    "never"};
	int64_t v;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (points_parse(str_from(wrong[i]), &v))
			fail_msg("%s was taken", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(more_than_one_way_to_write_it),
		cmocka_unit_test(what_is_none),
	};

	return cmocka_run_group_tests_name("points", tests, NULL, NULL);
}
