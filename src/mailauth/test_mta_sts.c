/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "mailauth/mta_sts.h"

/* --- RFC 8461 3.1 --- */

static err record(const char *text, str *id)
{
	str txt = str_from(text);

	return mta_sts_record(&txt, 1, id);
}

static void test_record(void **state UNUSED)
{
	str id;

	assert_int_equal(record("v=STSv1; id=20160831085700Z;", &id), OK);
	assert_str(id, "20160831085700Z");
	assert_int_equal(record("v=STSv1;id=1", &id), OK);
	assert_str(id, "1");
	assert_int_equal(record("v=STSv1 \t;\tx-y.z_=!:~ ; id=a ; id=b", &id), OK);
	assert_str(id, "a");
	assert_int_equal(record("v=STSv1; id=abcdefghijabcdefghijabcdefghij12;", &id), OK);
}

static void test_bad_record(void **state UNUSED)
{
	static const char *const bad[] = {
		"v=STSv1;",
		"v=STSv1; id=;",
		"v=STSv1; id=a-b;",
		"v=STSv1; id=abcdefghijabcdefghijabcdefghij123",
		"v=STSv1; id=1;;",
		"v=STSv1;; id=1",
		"v=STSv1; id=1; x",
		"v=STSv1; id=1; x=",
		"v=STSv1; ID=1",
		"v=STSv1; id=1 2",
		"v=STSv1; id=1 x=y",
		"v=STSv1; id=1; _x=y",
		"v=STSv1; =1",
		"v=STSv1; id=1=2",
		"v=STSv1; x=\x01; id=1",
	};
	str id;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (record(bad[i], &id) != E_SYNTAX)
			fail_msg("%s", bad[i]);
}

/* "records that do not begin with "v=STSv1;" are discarded. If the number of resulting records is not one ..." */
static void test_several_records(void **state UNUSED)
{
	const str one[] = {STR("v=spf1 -all"),
	                   STR("v=STSv1; id=7"),
	                   STR("v=STSv2; id=8"),
	                   STR("v=STSv1"),
	                   STR(" v=STSv1; id=9"),
	                   STR("V=STSv1; id=9"),
	                   STR("")};
	const str two[] = {STR("v=STSv1; id=7"), STR("v=STSv1; nonsense")};
	str id;

	assert_int_equal(mta_sts_record(one, ARRAY_LEN(one), &id), OK);
	assert_str(id, "7");
	assert_int_equal(mta_sts_record(two, ARRAY_LEN(two), &id), E_NOT_FOUND);
	assert_int_equal(mta_sts_record(two, 0, &id), E_NOT_FOUND);
}

/* --- RFC 8461 3.2 --- */

#define REST "mode: enforce\nmax_age: 1\nmx: a.example\n"

static void test_policy(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	struct mta_sts_policy p;

	assert_int_equal(
		mta_sts_policy_parse(STR("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
	                                 "mx: *.Example.NET\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n"),
	                             &a, &p),
		OK);
	assert_int_equal(p.mode, MTA_STS_ENFORCE);
	assert_int_equal(p.max_age, 604800);
	assert_int_equal(p.mx_n, 3);
	assert_str(p.mx[0], "mail.example.com");
	assert_str(p.mx[1], "*.example.net");
	assert_int_equal(mta_sts_policy_parse(STR("max_age:0 \nmode:none\t\nversion:STSv1"), &a, &p), OK);
	assert_int_equal(p.mode, MTA_STS_NONE);
	assert_int_equal(p.mx_n, 0);
}

/* "unknown fields SHALL be ignored. If any non-repeated field is duplicated, all entries except for the first SHALL be ignored." */
static void test_lenient(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	struct mta_sts_policy p;

	assert_int_equal(
		mta_sts_policy_parse(STR("version: STSv1\nversion: STSv2\nmode: testing\nmode: none\nmax_age: 5\n"
	                                 "max_age: x\nmx: a.example.\n\n\nx-new.one_: \xc3\xbc b\n"),
	                             &a, &p),
		OK);
	assert_int_equal(p.mode, MTA_STS_TESTING);
	assert_int_equal(p.max_age, 5);
	assert_str(p.mx[0], "a.example");
}

static void test_max_age(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	struct mta_sts_policy p;

	assert_int_equal(mta_sts_policy_parse(STR("version: STSv1\nmode: none\nmax_age: 31557601\n"), &a, &p), OK);
	assert_int_equal(p.max_age, 31557600);
	assert_int_equal(mta_sts_policy_parse(STR("version: STSv1\nmode: none\nmax_age: 9999999999\n"), &a, &p), OK);
	assert_int_equal(mta_sts_policy_parse(STR("version: STSv1\nmode: none\nmax_age: 10000000000\n"), &a, &p),
	                 E_SYNTAX);
	assert_int_equal(mta_sts_policy_parse(STR("version: STSv1\nmode: none\nmax_age: -1\n"), &a, &p), E_SYNTAX);
}

static void test_bad_policy(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"version: STSv1\n",
		REST,
		"version: STSv2\n" REST,
		"version: stsv1\n" REST,
		"Version: STSv1\n" REST,
		"version: STSv1\nmode: enforce\nmax_age: 1\n",
		"version: STSv1\nmode: enforce\nmx: a.example\n",
		"version: STSv1\nmode: strict\nmax_age: 1\nmx: a.example\n",
		"version: STSv1\nmax_age: 1\nmx: a.example\n",
		"version: STSv1\nmx: *\n" REST,
		"version: STSv1\nmx: *.\n" REST,
		"version: STSv1\nmx: .example\n" REST,
		"version: STSv1\nmx: a..example\n" REST,
		"version: STSv1\nmx: a.*.example\n" REST,
		"version: STSv1\nmx: *a.example\n" REST,
		"version: STSv1\nmx: [192.0.2.1]\n" REST,
		"version: STSv1\nmx: b\xc3\xbc"
		"cher.example\n" REST,
		"version: STSv1\nmx:\n" REST,
		"version: STSv1\nmx: a.example b.example\n" REST,
		"version: STSv1\nno field\n" REST,
		"version: STSv1\n: x\n" REST,
		"version: STSv1\nx: \x01\n" REST,
		"version: STSv1\rx: y\n" REST,
		"version: STSv1\nx: \xff\n" REST,
		"<html><body>version: STSv1</body></html>",
	};
	ARENA(a, 64 << 10);
	struct mta_sts_policy p;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (mta_sts_policy_parse(str_from(bad[i]), &a, &p) != E_SYNTAX)
			fail_msg("%s", bad[i]);
}

static void test_bounds(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	ARENA(small, 64);
	BUF(b, 1 << 20);
	struct mta_sts_policy p;

	buf_puts(&b, "version: STSv1\nmode: enforce\nmax_age: 1\n");
	for (int i = 0; i < MTA_STS_MX_MAX; i++)
		buf_printf(&b, "mx: mx%d.example\n", i);
	assert_int_equal(mta_sts_policy_parse(buf_str(&b), &a, &p), OK);
	assert_int_equal(p.mx_n, MTA_STS_MX_MAX);
	assert_int_equal(mta_sts_policy_parse(buf_str(&b), &small, &p), E_LIMIT);
	buf_puts(&b, "mx: one-more.example\n");
	assert_int_equal(mta_sts_policy_parse(buf_str(&b), &a, &p), E_SYNTAX);
	buf_reset(&b);
	buf_puts(&b, "version: STSv1\n" REST);
	while (b.n < MTA_STS_POLICY_MAX)
		buf_puts(&b, "x: y\n");
	assert_int_equal(mta_sts_policy_parse(buf_str(&b), &a, &p), E_SYNTAX);
}

/* --- RFC 8461 4.1 --- */

static void test_hosts(void **state UNUSED)
{
	str mx[] = {STR("mail.example.org"), STR("*.example.com"), STR("*.x")};
	struct mta_sts_policy p = {.mode = MTA_STS_ENFORCE, .mx = mx, .mx_n = ARRAY_LEN(mx)};

	assert_true(mta_sts_allows(&p, STR("mail.example.com")));
	assert_true(mta_sts_allows(&p, STR("MAIL.example.COM.")));
	assert_true(mta_sts_allows(&p, STR("mail.example.org")));
	assert_false(mta_sts_allows(&p, STR("example.com")));
	assert_false(mta_sts_allows(&p, STR("foo.bar.example.com")));
	assert_false(mta_sts_allows(&p, STR(".example.com")));
	assert_false(mta_sts_allows(&p, STR("example.org")));
	assert_false(mta_sts_allows(&p, STR("x.mail.example.org")));
	assert_false(mta_sts_allows(&p, STR("x")));
	assert_false(mta_sts_allows(&p, STR("")));
	assert_false(mta_sts_allows(&p, STR(".")));
	assert_false(mta_sts_allows(&(struct mta_sts_policy){0}, STR("mail.example.com")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),          cmocka_unit_test(test_bad_record),
		cmocka_unit_test(test_several_records), cmocka_unit_test(test_policy),
		cmocka_unit_test(test_lenient),         cmocka_unit_test(test_max_age),
		cmocka_unit_test(test_bad_policy),      cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
