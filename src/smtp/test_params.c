/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "smtp/params.h"

#define TEN "xxxxxxxxxx"

static void assert_mail_refused(const char *text, int reply)
{
	ARENA(a, 4096);
	struct mail_params p;

	if (mail_params_parse(str_from(text), &a, &p) != E_SYNTAX)
		fail_msg("accepted: %s", text);
	assert_int_equal(err_info()->reply, reply);
	assert_string_equal(err_info()->status, "5.5.4");
}

static void assert_rcpt_refused(const char *text, int reply)
{
	ARENA(a, 4096);
	struct rcpt_params p;

	if (rcpt_params_parse(str_from(text), false, &a, &p) != E_SYNTAX)
		fail_msg("accepted: %s", text);
	assert_int_equal(err_info()->reply, reply);
}

static void test_mail(void **state UNUSED)
{
	ARENA(a, 4096);
	struct mail_params p;

	assert_int_equal(mail_params_parse(STR(" size=1000 BODY=8bitmime SMTPUTF8 RET=hdrs ENVID=QQ+2Bx"), &a, &p), OK);
	assert_int_equal(p.size, 1000);
	assert_int_equal(p.body, BODY_8BIT);
	assert_true(p.utf8);
	assert_int_equal(p.ret, DSN_RET_HDRS);
	assert_str(p.envid, "QQ+x");
	assert_int_equal(mail_params_parse(STR(""), &a, &p), OK);
	assert_true(p.size == 0 && !p.auth && p.body == BODY_7BIT && !p.utf8 && p.ret == DSN_RET_NONE && p.envid.n == 0);
	assert_int_equal(mail_params_parse(STR("BODY=BINARYMIME RET=FULL BODY"), &a, &p), E_SYNTAX);
	assert_int_equal(mail_params_parse(STR("AUTH=<> BODY=BINARYMIME RET=FULL"), &a, &p), OK);
	assert_true(p.auth);
	assert_int_equal(p.body, BODY_BINARY);
}

static void test_size_does_not_wrap(void **state UNUSED)
{
	ARENA(a, 4096);
	struct mail_params p;

	assert_int_equal(mail_params_parse(STR("SIZE=99999999999999999999"), &a, &p), OK);
	assert_true(p.size == UINT64_MAX);
	assert_int_equal(mail_params_parse(STR("SIZE=18446744073709551616"), &a, &p), OK);
	assert_true(p.size == UINT64_MAX);
	assert_mail_refused("SIZE=999999999999999999999", 501);
}

static void test_mail_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"SIZE=",     "SIZE",           "SIZE=-1",    "SIZE=1x",    "SIZE=1 SIZE=2",     "BODY=9BIT",
		"BODY=",     "SMTPUTF8=1",     "SMTPUTF8=",  "RET=SOME",   "RET=FULL RET=HDRS", "ENVID=",
		"ENVID=a+",  "ENVID=a+4",      "ENVID=a+4g", "ENVID=a+0a", "ENVID=a+0Ab",       "ENVID=a+00b",
		"ENVID=a=b", "ENVID=\xc3\xbc",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_mail_refused(bad[i], 501);
	assert_mail_refused("ENVID=" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "x", 501);
	assert_mail_refused("COLOUR=red", 555);
	assert_mail_refused("NOTIFY=NEVER", 555);
	assert_mail_refused("AUTH=", 501);
	assert_mail_refused("AUTH=a+0Ab", 501);
	assert_mail_refused("=", 555);
}

static void test_rcpt(void **state UNUSED)
{
	ARENA(a, 4096);
	struct rcpt_params p;

	assert_int_equal(
		rcpt_params_parse(STR("NOTIFY=success,FAILURE,DELAY ORCPT=rfc822;Bob+2Bx@example.com"), false, &a, &p),
		OK);
	assert_int_equal(p.notify, DSN_SUCCESS | DSN_FAILURE | DSN_DELAY);
	assert_str(p.orcpt, "rfc822;Bob+x@example.com");
	assert_int_equal(rcpt_params_parse(STR("NOTIFY=NEVER"), false, &a, &p), OK);
	assert_int_equal(p.notify, DSN_NEVER);
	assert_int_equal(rcpt_params_parse(STR(""), false, &a, &p), OK);
	assert_true(p.notify == 0 && p.orcpt.n == 0);
}

static void test_utf8_orcpt(void **state UNUSED)
{
	ARENA(a, 4096);
	struct rcpt_params p;

	assert_int_equal(rcpt_params_parse(STR("ORCPT=utf-8;j\\x{FC}rgen@example.org"), false, &a, &p), OK);
	assert_str(p.orcpt, "utf-8;j\\x{FC}rgen@example.org");
	assert_int_equal(rcpt_params_parse(STR("ORCPT=utf-8;j\xc3\xbcrgen@example.org"), true, &a, &p), OK);
	assert_str(p.orcpt, "utf-8;j\xc3\xbcrgen@example.org");
	assert_rcpt_refused("ORCPT=utf-8;j\xc3\xbcrgen@example.org", 501);
}

static void test_rcpt_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"NOTIFY=NEVER,SUCCESS",
		"NOTIFY=",
		"NOTIFY",
		"NOTIFY=ALWAYS",
		"NOTIFY=SUCCESS,",
		"NOTIFY=NEVER NOTIFY=NEVER",
		"ORCPT=bob",
		"ORCPT=rfc822;",
		"ORCPT=;a@x",
		"ORCPT=rfc822;a+4",
		"ORCPT=rfc822;a+00b@x",
		"ORCPT=rfc822;a+0D+0ARCPT",
		"ORCPT=a.b;c",
		"ORCPT=rfc822;a=b",
		"ORCPT=",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_rcpt_refused(bad[i], 501);
	assert_rcpt_refused("SIZE=1", 555);
	assert_rcpt_refused("COLOUR=red", 555);
}

static void test_no_memory(void **state UNUSED)
{
	ARENA(a, 8);
	struct mail_params p;

	assert_int_equal(mail_params_parse(STR("ENVID=aaaaaaaaaaaaaaaaaaaa"), &a, &p), E_LIMIT);
	assert_int_equal(err_info()->reply, 452);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),         cmocka_unit_test(test_size_does_not_wrap),
		cmocka_unit_test(test_mail_refused), cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_utf8_orcpt),   cmocka_unit_test(test_rcpt_refused),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
