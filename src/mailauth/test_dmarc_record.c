/* SPDX-License-Identifier: ISC */
/* RFC 9989 4.7, 4.8 */
#include "base/test.h"

#include "mailauth/dmarc.h"

static struct arena memory;
static struct dmarc_record r;

static int begin(void **state UNUSED)
{
	memory = ARENA_INIT(1 << 20);
	return 0;
}

static int end(void **state UNUSED)
{
	arena_free(&memory);
	return 0;
}

static err parse(const char *text)
{
	return dmarc_record_parse(str_from(text), &memory, &r);
}

static void test_all(void **state UNUSED)
{
	assert_int_equal(
		parse("v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=S; t=y; psd=n; fo=1:d:s; "
	              "rua=mailto:a@example.com!10m, mailto:b%2Bc@example.com?subject=x; ruf=mailto:x@example.com;"),
		OK);
	assert_int_equal(r.p, DMARC_REJECT);
	assert_int_equal(r.sp, DMARC_QUARANTINE);
	assert_int_equal(r.np, DMARC_NONE);
	assert_true(r.strict_dkim && r.strict_spf && r.testing);
	assert_int_equal(r.psd, 'n');
	assert_str(r.fo, "1:d:s");
	assert_int_equal(r.rua_n, 2);
	assert_str(r.rua[0], "a@example.com");
	assert_int_equal(r.rua_max[0], 10 << 20);
	assert_str(r.rua[1], "b+c@example.com");
	assert_int_equal(r.rua_max[1], 0);
}

static void test_defaults(void **state UNUSED)
{
	assert_int_equal(parse("v=DMARC1;p=quarantine"), OK);
	assert_int_equal(r.p, DMARC_QUARANTINE);
	assert_int_equal(r.sp, DMARC_QUARANTINE);
	assert_int_equal(r.np, DMARC_QUARANTINE);
	assert_false(r.strict_dkim || r.strict_spf || r.testing);
	assert_int_equal(r.psd, 'u');
	assert_str(r.fo, "0");
	assert_int_equal(r.rua_n, 0);
	assert_int_equal(parse("v=DMARC1; p=reject; sp=none"), OK);
	assert_int_equal(r.np, DMARC_NONE);
	assert_int_equal(parse("v = DMARC1 ; P=Reject;\tADKIM = s"), OK);
	assert_int_equal(r.p, DMARC_REJECT);
	assert_true(r.strict_dkim);
}

static void test_no_record(void **state UNUSED)
{
	static const char *const list[] = {
		"",
		"v=DMARC1x; p=none",
		"v=dmarc1; p=none",
		"p=none; v=DMARC1",
		"v=DMARC2; p=none",
		"v=spf1 -all",
		"; v=DMARC1; p=none",
		"v=DMARC1 p=none",
		"DMARC1; p=none",
		"v=",
		"v",
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (parse(list[i]) != E_NOT_FOUND)
			fail_msg("%s", list[i]);
}

/* RFC 9989 4.8: what is not known or malformed is passed over. */
static void test_passed_over(void **state UNUSED)
{
	static const char *const list[] = {
		"v=DMARC1; p=reject; foo; bar=baz; =x; ;;",
		"v=DMARC1; p=reject; adkim=x; aspf=; t=maybe; psd=z; fo=x; pct=200; ri=86400; rf=afrf",
		"v=DMARC1; p=reject; rua=http://example.com/, mailto:, mailto:nobody, mailto:a%zz@example.com",
		"v=DMARC1; p=reject; rua=mailto:a@example.com!x, mailto:a%0a@example.com, ,",
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		if (parse(list[i]) != OK)
			fail_msg("%s", list[i]);
		assert_int_equal(r.p, DMARC_REJECT);
		assert_false(r.strict_dkim || r.strict_spf || r.testing);
		assert_int_equal(r.psd, 'u');
		assert_str(r.fo, "0");
		assert_int_equal(r.rua_n, 0);
	}
}

/* RFC 9989 4.10.1: with somewhere to report to, a record without policies says none. */
static void test_without_policy(void **state UNUSED)
{
	assert_int_equal(parse("v=DMARC1; rua=mailto:a@example.com"), OK);
	assert_int_equal(r.p, DMARC_NONE);
	assert_int_equal(parse("v=DMARC1; p=reject; sp=foo; rua=mailto:a@example.com"), OK);
	assert_int_equal(r.p, DMARC_NONE);
	assert_int_equal(r.np, DMARC_NONE);
	assert_int_equal(parse("v=DMARC1"), E_SYNTAX);
	assert_int_equal(parse("v=DMARC1; p=rejected"), E_SYNTAX);
	assert_int_equal(parse("v=DMARC1; p=; rua=mailto:x"), E_SYNTAX);
	assert_int_equal(parse("v=DMARC1; p=reject; np=foo"), E_SYNTAX);
	assert_int_equal(parse("v=DMARC1; psd=y"), E_SYNTAX);
	assert_int_equal(r.psd, 'y'); /* it still says that */
}

static void test_twice(void **state UNUSED)
{
	assert_int_equal(parse("v=DMARC1; p=none; p=reject"), E_SYNTAX);
	assert_int_equal(parse("v=DMARC1; p=none; rua=; rua=mailto:a@example.com"), E_SYNTAX);
	assert_int_equal(parse("v=DMARC1; p=none; x=1; x=2"), OK);
}

static void test_test_mode(void **state UNUSED)
{
	assert_int_equal(parse("v=DMARC1; p=reject; pct=0"), OK);
	assert_true(r.testing);
	assert_int_equal(parse("v=DMARC1; p=reject; pct=1"), OK);
	assert_false(r.testing);
	assert_int_equal(parse("v=DMARC1; p=reject; pct=0; t=n"), OK);
	assert_false(r.testing);
}

static void test_bounds(void **state UNUSED)
{
	BUF(text, 1 << 20);

	buf_puts(&text, "v=DMARC1; p=none; rua=");
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "mailto:a%d@example.com!1t,", i);
	assert_int_equal(dmarc_record_parse(buf_str(&text), &memory, &r), OK);
	assert_int_equal(r.rua_n, DMARC_URIS_MAX);
	assert_int_equal(r.rua_max[0], 1ULL << 40);
	while (text.n < 20000)
		buf_puts(&text, "; x=y");
	assert_int_equal(dmarc_record_parse(buf_str(&text), &memory, &r), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, begin, end),
		cmocka_unit_test_setup_teardown(test_defaults, begin, end),
		cmocka_unit_test_setup_teardown(test_no_record, begin, end),
		cmocka_unit_test_setup_teardown(test_passed_over, begin, end),
		cmocka_unit_test_setup_teardown(test_without_policy, begin, end),
		cmocka_unit_test_setup_teardown(test_twice, begin, end),
		cmocka_unit_test_setup_teardown(test_test_mode, begin, end),
		cmocka_unit_test_setup_teardown(test_bounds, begin, end),
	};

	return cmocka_run_group_tests_name("dmarc_record", tests, NULL, NULL);
}
