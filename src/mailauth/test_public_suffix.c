/* SPDX-License-Identifier: ISC */
/* The vectors of publicsuffix.org are in tests/test_vectors_public_suffix.py. */
#include <stdio.h>

#include "base/test.h"
#include "mailauth/public_suffix.h"

static void test_builtin(void **state UNUSED)
{
	assert_str(public_suffix_registered(STR("www.example.co.uk")), "example.co.uk");
	assert_str(public_suffix_registered(STR("example.com")), "example.com");
	assert_str(public_suffix_registered(STR("a.b.unlisted")), "b.unlisted");
	assert_int_equal(public_suffix_registered(STR("com")).n, 0);
	assert_int_equal(public_suffix_registered(STR("co.uk")).n, 0);
}

static void test_no_names(void **state UNUSED)
{
	char longest[300];

	memset(longest, 'a', sizeof(longest));
	assert_int_equal(public_suffix_registered(STR("")).n, 0);
	assert_int_equal(public_suffix_registered(STR_NONE).n, 0);
	assert_int_equal(public_suffix_registered(STR(".com")).n, 0);
	assert_int_equal(public_suffix_registered(STR("a\0b.com")).n, 0);
	assert_int_equal(public_suffix_registered(str_make(longest, sizeof(longest))).n, 0);
}

static void test_view(void **state UNUSED)
{
	str name = STR("www.example.com");

	assert_ptr_equal(public_suffix_registered(name).p, name.p + 4);
	assert_ptr_equal(public_suffix_registered(name).p, name.p + 4);
}

/* More names than are remembered, short ones and long ones, in turn. */
static void test_many(void **state UNUSED)
{
	char name[120];

	for (int i = 0; i < 200; i++) {
		int n = snprintf(name, sizeof(name), "%0*d.example.co.uk", i % 100 + 1, i % 50);
		assert_str(public_suffix_registered(str_make(name, (size_t)n)), "example.co.uk");
		n = snprintf(name, sizeof(name), "%d.com", i % 50);
		assert_str(public_suffix_registered(str_make(name, (size_t)n)), name);
		assert_int_equal(public_suffix_registered(STR("co.uk")).n, 0);
	}
}

static void test_list(void **state UNUSED)
{
	assert_int_equal(public_suffix_use(STR("// a list\ncom\nshop.com\n*.wide\n!city.wide\n")), OK);
	assert_str(public_suffix_registered(STR("a.b.shop.com")), "b.shop.com");
	assert_str(public_suffix_registered(STR("a.b.c.wide")), "b.c.wide");
	assert_str(public_suffix_registered(STR("a.city.wide")), "city.wide");
	assert_str(public_suffix_registered(STR("www.example.co.uk")), "co.uk");
	assert_int_equal(public_suffix_use(STR("// nothing\n")), E_SYNTAX);
	assert_str(public_suffix_registered(STR("a.b.shop.com")), "b.shop.com"); /* as before */
	assert_int_equal(public_suffix_use(STR("")), OK);
	assert_str(public_suffix_registered(STR("www.example.co.uk")), "example.co.uk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_builtin), cmocka_unit_test(test_no_names),
	                                   cmocka_unit_test(test_view), cmocka_unit_test(test_many),
	                                   cmocka_unit_test(test_list)};

	return cmocka_run_group_tests_name("public_suffix", tests, NULL, NULL);
}
