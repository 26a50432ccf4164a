/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "dns/anchor.h"

static struct buf seen;

static err note(void *ctx, const char *record)
{
	buf_puts(&seen, record);
	buf_putc(&seen, '|');
	return *(const err *)ctx;
}

static err each(const char *text)
{
	err result = OK;

	buf_free(&seen);
	seen = BUF_INIT(10000);
	return anchor_each(str_from(text), note, &result);
}

static void the_root(void **state UNUSED)
{
	assert_int_equal(each(""), OK);
	assert_true(str_starts(buf_str(&seen), STR(". IN DS 20326 8 2 E06D")));
	assert_true(str_contains(buf_str(&seen), STR("|. IN DS 38696 8 2 683D")));
}

static void files(void **state UNUSED)
{
	assert_int_equal(each("; autotrust\n\n. 3600 IN DS 1 8 2 AB; a key\r\nexample. DNSKEY 257 3 8 AwEA\n"), OK);
	assert_str(buf_str(&seen), ". 3600 IN DS 1 8 2 AB |example. DNSKEY 257 3 8 AwEA |");
	assert_int_equal(each(". IN DNSKEY 257 3 8 (\n\tAwEA ; first\n\tBBBB )"), OK);
	assert_str(buf_str(&seen), ". IN DNSKEY 257 3 8   \tAwEA  \tBBBB   |");
}

static void what_is_none(void **state UNUSED)
{
	static const char *const bad[] = {
		";\n", "\n", "nonsense", ". IN A 192.0.2.1", ". IN DS", "DS DS", ". IN DS 1 8 2 AB\n<html>"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(each(bad[i]), E_SYNTAX);
	assert_int_equal(anchor_each(STR(". IN DS 1 8 2 A\0B"), note, &(err){OK}), E_SYNTAX);
}

static void errors_end_it(void **state UNUSED)
{
	buf_reset(&seen);
	assert_int_equal(anchor_each(STR(". DS 1 8 2 A\n. DS 2 8 2 B\n"), note, &(err){E_MEMORY}), E_MEMORY);
	assert_str(buf_str(&seen), ". DS 1 8 2 A |");
}

static int clean(void **state UNUSED)
{
	buf_free(&seen);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root),
		cmocka_unit_test(files),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(errors_end_it),
	};

	return cmocka_run_group_tests_name("anchor", tests, NULL, clean);
}
