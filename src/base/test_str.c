/* SPDX-License-Identifier: ISC */
#include "base/test.h"

static void test_equality(void **state UNUSED)
{
	assert_true(str_equal(STR("a"), STR("a")));
	assert_true(str_equal(STR_NONE, STR("")));
	assert_false(str_equal(STR("a"), STR("ab")));
	assert_true(str_equal_nocase(STR("MaIl"), STR("mail")));
	assert_false(str_equal_nocase(STR("\xc4"), STR("\xe4")));
	assert_false(str_equal_nocase(STR("["), STR("{")));
}

static void test_compare_puts_prefix_first(void **state UNUSED)
{
	assert_true(str_compare(STR("a"), STR("ab")) < 0);
	assert_true(str_compare(STR("b"), STR("ab")) > 0);
	assert_int_equal(str_compare(STR_NONE, STR("")), 0);
}

static void test_starts_ends_contains(void **state UNUSED)
{
	assert_true(str_starts(STR("MAIL FROM"), STR("MAIL")));
	assert_false(str_starts(STR("MA"), STR("MAIL")));
	assert_true(str_starts_nocase(STR("mail from"), STR("MAIL")));
	assert_true(str_ends(STR("x.org"), STR(".org")));
	assert_false(str_ends(STR("org"), STR(".org")));
	assert_true(str_ends_nocase(STR("x.ORG"), STR(".org")));
	assert_true(str_contains(STR("abc"), STR("bc")));
	assert_true(str_contains(STR_NONE, STR("")));
	assert_false(str_contains(STR_NONE, STR("a")));
}

static void test_find(void **state UNUSED)
{
	assert_int_equal(str_find(STR("a@b@c"), '@'), 1);
	assert_int_equal(str_find_last(STR("a@b@c"), '@'), 3);
	assert_int_equal(str_find(STR("abc"), '@'), 3);
	assert_int_equal(str_find_last(STR_NONE, '@'), 0);
}

static void test_take_drop_trim(void **state UNUSED)
{
	assert_str(str_take(STR("abc"), 2), "ab");
	assert_str(str_take(STR("abc"), 9), "abc");
	assert_str(str_drop(STR("abc"), 2), "c");
	assert_str(str_drop(STR("abc"), 9), "");
	assert_str(str_drop(STR_NONE, 1), "");
	assert_str(str_trim(STR(" \t a b\r\n")), "a b");
	assert_str(str_trim(STR(" \r\n")), "");
}

static void test_cut(void **state UNUSED)
{
	str head, tail = STR("k=v=w");

	assert_true(str_cut(tail, '=', &head, &tail));
	assert_str(head, "k");
	assert_str(tail, "v=w");
	assert_true(str_cut(STR("k="), '=', &head, &tail));
	assert_str(tail, "");
	assert_false(str_cut(STR("k"), '=', &head, &tail));
	assert_str(head, "k");
	assert_str(tail, "");
}

static void test_words(void **state UNUSED)
{
	str rest = STR("  one\ttwo  ");

	assert_str(str_word(&rest), "one");
	assert_str(str_word(&rest), "two");
	assert_str(str_word(&rest), "");
	assert_int_equal(rest.n, 0);
}

static void test_to_u64(void **state UNUSED)
{
	uint64_t v = 7;

	assert_true(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &v));
	assert_true(str_to_u64(STR("0010"), 10, &v));
	assert_int_equal(v, 10);
	assert_false(str_to_u64(STR("11"), 10, &v));
	assert_false(str_to_u64(STR("5"), 3, &v));
	assert_false(str_to_u64(STR(""), 10, &v));
	assert_false(str_to_u64(STR("+1"), 10, &v));
	assert_false(str_to_u64(STR("1 "), 10, &v));
	assert_int_equal(v, 10);
}

static void test_ascii_and_controls(void **state UNUSED)
{
	assert_true(str_is_ascii(STR("twelve bytes and more")));
	assert_false(str_is_ascii(STR("twelve byt\xc3\xa9s")));
	assert_false(str_is_ascii(STR("sixteen bytes in\x80")));
	assert_true(str_has_control(STR("a\0b")));
	assert_true(str_has_control(STR("\x7f")));
	assert_false(str_has_control(STR("\xc3\xa9 ")));
}

static void test_utf8(void **state UNUSED)
{
	assert_true(str_is_utf8(STR("")));
	assert_true(str_is_utf8(STR("eight by\xc3\xa9\xe2\x82\xac\xf0\x9f\x95\x8a!\0")));
	static const char *const bad[] = {
		"\x80",
		"\xc0\xaf",
		"\xc1\xbf",
		"\xc3",
		"\xc3(",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xe2\x82",
		"eight by\xff",
		"\xf8\x88\x80\x80\x80",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_is_utf8(str_from(bad[i])));
}

static void test_utf8_char(void **state UNUSED)
{
	uint32_t code = 0;

	assert_int_equal(str_utf8_char(STR("\xf0\x9f\x95\x8axx"), &code), 4);
	assert_int_equal(code, 0x1f54a);
	assert_int_equal(str_utf8_char(STR("a"), &code), 1);
	assert_int_equal(code, 'a');
	assert_int_equal(str_utf8_char(STR(""), &code), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_compare_puts_prefix_first),
		cmocka_unit_test(test_starts_ends_contains),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_take_drop_trim),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_to_u64),
		cmocka_unit_test(test_ascii_and_controls),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_char),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
