/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_tags.h"

#include "base/test.h"
#include "mailauth/result.h"

static void test_list(void **state UNUSED)
{
	struct dkim_tags t;
	str value;

	assert_int_equal(dkim_tags_parse(STR(" v=1; a = rsa-sha256\r\n\t;b=ab c\r\n d=; x_1= a=b ;\r\n "), &t), OK);
	assert_int_equal(t.n, 4);
	assert_str(t.items[0].name, "v");
	assert_str(t.items[1].whole, " rsa-sha256\r\n\t");
	assert_str(dkim_tags_get(&t, "a"), "rsa-sha256");
	assert_str(dkim_tags_get(&t, "b"), "ab c\r\n d=");
	assert_str(dkim_tags_get(&t, "x_1"), "a=b");
	assert_false(dkim_tags_find(&t, "A", &value)); /* RFC 6376 3.2: names are case-sensitive */
	assert_null(value.p);
	assert_int_equal(dkim_tags_parse(STR("p="), &t), OK);
	assert_true(dkim_tags_find(&t, "p", &value));
	assert_true(value.p != NULL && value.n == 0);
	assert_int_equal(dkim_tags_parse(STR("i=d\xc3\xbc@b\xc3\xbc"
	                                     "cher.example"),
	                                 &t),
	                 OK);
}

static void test_malformed(void **state UNUSED)
{
	static const char *const bad[] = {
		"",     " ",    ";",     "a",     "a;",      "=b",     "a=b;;",  ";a=b",        "a=b; ;c=d",
		"1a=b", "_a=b", "a b=c", "a-b=c", "a=b;a=c", "a=\x01", "a=\x7f", "a=b;A=c;a=d",
	};
	struct dkim_tags t;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (dkim_tags_parse(str_from(bad[i]), &t) != E_SYNTAX)
			fail_msg("%s", bad[i]);
	assert_int_equal(dkim_tags_parse(str_make("a=\0", 3), &t), E_SYNTAX);
}

static void test_bounds(void **state UNUSED)
{
	struct dkim_tags t;
	BUF(b, 4096);

	for (int i = 0; i < DKIM_TAGS_MAX; i++)
		buf_printf(&b, "t%d=x;", i);
	assert_int_equal(dkim_tags_parse(buf_str(&b), &t), OK);
	assert_int_equal(t.n, DKIM_TAGS_MAX);
	buf_puts(&b, "more=x");
	assert_int_equal(dkim_tags_parse(buf_str(&b), &t), E_LIMIT);
}

static void test_items(void **state UNUSED)
{
	str rest = STR("from : To:\r\n subject::"), item, none = STR_NONE, empty = STR("");
	static const char *const want[] = {"from", "To", "subject", "", ""};

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_true(dkim_tags_item(&rest, ':', &item));
		assert_str(item, want[i]);
	}
	assert_false(dkim_tags_item(&rest, ':', &item));
	assert_false(dkim_tags_item(&none, ':', &item));
	assert_true(dkim_tags_item(&empty, ':', &item));
	assert_false(dkim_tags_item(&empty, ':', &item));
}

static void test_squeeze(void **state UNUSED)
{
	BUF(b, 100);

	dkim_tags_squeeze(&b, STR("ab\r\n\tc d="));
	assert_str(buf_str(&b), "abcd=");
}

static void test_names_of_results(void **state UNUSED)
{
	assert_str(auth_result_name(AUTH_NONE), "none");
	assert_str(auth_result_name(AUTH_PASS), "pass");
	assert_str(auth_result_name(AUTH_PERMERROR), "permerror");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),  cmocka_unit_test(test_malformed), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_items), cmocka_unit_test(test_squeeze),   cmocka_unit_test(test_names_of_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
