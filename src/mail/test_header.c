/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "mail/header.h"

static const str MESSAGE = STR("Received: one\r\n"
                               "Subject : folded\r\n"
                               "\tover two lines \r\n"
                               "Empty:\r\n"
                               "\r\n"
                               "Body: not a field\r\n");

static void test_walks_the_fields(void **state UNUSED)
{
	struct header_field f;
	size_t at = 0;
	str m = MESSAGE;

	assert_true(header_next(m, &at, &f));
	assert_str(f.name, "Received");
	assert_str(f.value, " one");
	assert_str(f.whole, "Received: one\r\n");
	assert_true(header_next(m, &at, &f));
	assert_str(f.name, "Subject");
	assert_str(f.value, " folded\r\n\tover two lines ");
	assert_true(header_next(m, &at, &f));
	assert_str(f.name, "Empty");
	assert_str(f.value, "");
	assert_false(header_next(m, &at, &f));
	assert_int_equal(header_size(m), m.n - 19);
}

static void test_bare_lf(void **state UNUSED)
{
	struct header_field f;
	str m = STR("A: 1\nB: 2\n 3\n\nbody\n");

	assert_true(header_find(m, STR("b"), &f));
	assert_str(f.value, " 2\n 3");
	assert_int_equal(header_size(m), 14);
}

static void test_odd_headers(void **state UNUSED)
{
	struct header_field f;

	assert_int_equal(header_size(STR("")), 0);
	assert_int_equal(header_size(STR("\r\nbody")), 2);
	assert_int_equal(header_size(STR("no field\r\n\r\nbody")), 0);
	assert_int_equal(header_size(STR("A: 1\r\nno field\r\n")), 6);
	assert_int_equal(header_size(STR("A: no end")), 9);
	assert_int_equal(header_size(STR("A: 1\r\n")), 6);
	assert_int_equal(header_size(STR("A: 1\r\n ")), 7);
	assert_int_equal(header_size(STR("A: 1\r\n\r")), 7);
	assert_false(header_find(STR(": no name\r\n"), STR(""), &f));
	assert_false(header_find(STR("a b: c\r\n"), STR("a b"), &f));
	assert_false(header_find(STR(" A: 1\r\n"), STR("A"), &f));
	assert_false(header_find(STR("\xc3\xbc: 1\r\n"), STR("\xc3\xbc"), &f));
}

static void test_mailbox_file_line_is_skipped(void **state UNUSED)
{
	struct header_field f;
	str m = STR("From alice Sat Nov 21 21:38:00 2026\r\nFrom: alice\r\n\r\nbody");

	assert_true(header_find(m, STR("from"), &f));
	assert_str(f.value, " alice");
	assert_int_equal(header_size(m), m.n - 4);
}

static void test_unfold(void **state UNUSED)
{
	ARENA(a, 1000);

	assert_str(header_unfold(&a, STR(" one \r\n")), "one");
	assert_str(header_unfold(&a, STR(" one\r\n\ttwo\n three ")), "one\ttwo three");
	assert_str(header_unfold(&a, STR("")), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks_the_fields), cmocka_unit_test(test_bare_lf),
		cmocka_unit_test(test_odd_headers),      cmocka_unit_test(test_mailbox_file_line_is_skipped),
		cmocka_unit_test(test_unfold),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
