/* SPDX-License-Identifier: ISC */
#include "sasl/plain.h"

#include "base/test.h"

static void three_parts(void **state)
{
	(void)state;
	struct plain p;

	/* RFC 4616 4, both examples */
	assert_int_equal(plain_parse(STR("\0tim\0tanstaaftanstaaf"), &p), OK);
	assert_str(p.authorization, "");
	assert_str(p.user, "tim");
	assert_str(p.password, "tanstaaftanstaaf");
	assert_int_equal(plain_parse(STR("Ursel\0Kurt\0xipj3plmq"), &p), OK);
	assert_str(p.authorization, "Ursel");
	assert_str(p.user, "Kurt");
}

static void malformed(void **state)
{
	(void)state;
	static const str raw[] = {STR(""),     STR("\0"),   STR("\0\0"),      STR("\0user\0"), STR("\0\0password"),
	                          STR("user"), STR("a\0b"), STR("\0a\0b\0c"), STR("\0a\0b\0"), STR("\0a\xff\0b")};
	struct plain p;

	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		assert_int_equal(plain_parse(raw[i], &p), E_SYNTAX);
}

static void composed(void **state)
{
	(void)state;
	BUF(message, 20);

	assert_int_equal(plain_compose(STR("tim"), STR("tanstaaf"), &message), OK);
	assert_true(str_equal(buf_str(&message), STR("\0tim\0tanstaaf")));
	assert_int_equal(plain_compose(STR("t\0im"), STR("tanstaaf"), &message), E_SYNTAX);
	assert_int_equal(plain_compose(STR("tim"), STR("tan\0staaf"), &message), E_SYNTAX);
	assert_int_equal(plain_compose(STR("tim"), STR("tanstaaftanstaaftanstaaf"), &message), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_parts),
		cmocka_unit_test(malformed),
		cmocka_unit_test(composed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
