/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "conf/suggest.h"

static void distances(void **state UNUSED)
{
	assert_int_equal(edit_distance(STR("hostname"), STR("hostname")), 0);
	assert_int_equal(edit_distance(STR("hostnam"), STR("hostname")), 1);
	assert_int_equal(edit_distance(STR("hostnaem"), STR("hostname")), 1); /* neighbours exchanged */
	assert_int_equal(edit_distance(STR(""), STR("abc")), 3);
	assert_int_equal(edit_distance(STR("abc"), STR("")), 3);
	assert_int_equal(edit_distance(STR("kitten"), STR("sitting")), 3);
	assert_true(edit_distance(STR("0123456789012345678901234567890123"), STR("x")) == SIZE_MAX);
}

static const char *best_of(str word, const char *a, const char *b)
{
	struct suggestion s = suggest_begin(word);

	suggest_offer(&s, a);
	suggest_offer(&s, b);
	return s.best;
}

static void nearest_is_chosen(void **state UNUSED)
{
	assert_string_equal(best_of(STR("domian"), "data", "domain"), "domain");
	assert_string_equal(best_of(STR("lisen"), "listen", "limit"), "listen");
	assert_string_equal(best_of(STR("mx-size"), "message-size", "max-size"), "max-size");
	assert_null(best_of(STR("postmaster"), "data", "domain"));
	assert_null(best_of(STR(""), "data", "domain"));
	assert_null(best_of(STR("0123456789012345678901234567890123"), "data", "domain"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances),
		cmocka_unit_test(nearest_is_chosen),
	};

	return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
