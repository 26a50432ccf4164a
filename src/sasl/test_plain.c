/* SPDX-License-Identifier: ISC */
#include "sasl/plain.h"

#include "base/encode.h"
#include "base/test.h"

static err decode(str raw, struct buf *message, struct plain *p)
{
	BUF(base64, 4096);

	base64_encode(&base64, raw);
	return plain_decode(buf_str(&base64), message, p);
}

static void three_parts(void **state)
{
	(void)state;
	BUF(message, PLAIN_MAX);
	struct plain p;

	/* RFC 4616 4, both examples */
	assert_int_equal(decode(STR("\0tim\0tanstaaftanstaaf"), &message, &p), OK);
	assert_true(str_equal(p.authorization, STR("")));
	assert_true(str_equal(p.user, STR("tim")));
	assert_true(str_equal(p.password, STR("tanstaaftanstaaf")));
	assert_int_equal(decode(STR("Ursel\0Kurt\0xipj3plmq"), &message, &p), OK);
	assert_true(str_equal(p.authorization, STR("Ursel")));
	assert_true(str_equal(p.user, STR("Kurt")));
}

static void malformed(void **state)
{
	(void)state;
	static const str raw[] = {STR(""),     STR("\0"),   STR("\0\0"),      STR("\0user\0"), STR("\0\0password"),
	                          STR("user"), STR("a\0b"), STR("\0a\0b\0c"), STR("\0a\0b\0"), STR("\0a\xff\0b")};
	static const char *const base64[] = {"=", "*", "AHQ", "AHRpbQB0YW4 ", "A===", "AHRpbQB0YW4=x", "\r"};
	BUF(message, PLAIN_MAX);
	struct plain p;

	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		assert_int_equal(decode(raw[i], &message, &p), E_SYNTAX);
	for (size_t i = 0; i < ARRAY_LEN(base64); i++)
		assert_int_equal(plain_decode(str_from(base64[i]), &message, &p), E_SYNTAX);
}

static void too_long(void **state)
{
	(void)state;
	char raw[PLAIN_MAX + 1] = "\0a";
	BUF(message, PLAIN_MAX);
	struct plain p;

	memset(raw + 3, 'x', sizeof(raw) - 3);
	assert_int_equal(decode(str_make(raw, PLAIN_MAX), &message, &p), OK);
	assert_int_equal(decode(str_make(raw, PLAIN_MAX + 1), &message, &p), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_parts),
		cmocka_unit_test(malformed),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
