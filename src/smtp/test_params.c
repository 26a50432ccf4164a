/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "smtp/params.h"

#define TEN "xxxxxxxxxx"
#define ALL (PARAMS_SUBMISSION | PARAMS_DELIVERBY | PARAMS_REQUIRETLS)

static void assert_mail_refused(const char *text, int reply)
{
	ARENA(a, 4096);
	struct mail_params p;

	if (mail_params_parse(str_from(text), ALL, &a, &p) != E_SYNTAX)
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

	assert_int_equal(mail_params_parse(STR(" size=1000 BODY=8bitmime SMTPUTF8 RET=hdrs ENVID=QQ+2Bx"), ALL, &a, &p),
	                 OK);
	assert_int_equal(p.size, 1000);
	assert_int_equal(p.body, BODY_8BIT);
	assert_true(p.utf8);
	assert_int_equal(p.ret, DSN_RET_HDRS);
	assert_str(p.envid, "QQ+x");
	assert_int_equal(mail_params_parse(STR(""), ALL, &a, &p), OK);
	assert_true(p.size == 0 && !p.auth && p.body == BODY_7BIT && !p.utf8 && p.ret == DSN_RET_NONE &&
	            p.envid.n == 0);
	assert_int_equal(mail_params_parse(STR("BODY=BINARYMIME RET=FULL BODY"), ALL, &a, &p), E_SYNTAX);
	assert_int_equal(mail_params_parse(STR("AUTH=<> BODY=BINARYMIME RET=FULL"), ALL, &a, &p), OK);
	assert_true(p.auth);
	assert_int_equal(p.body, BODY_BINARY);
}

/* --- RFC 4865, 2852, 6710, 8689 --- */

static struct mail_params parsed(const char *text)
{
	ARENA(a, 4096);
	struct mail_params p;

	if (mail_params_parse(str_from(text), ALL, &a, &p) != OK)
		fail_msg("%s: %s", text, err_info()->text);
	return p;
}

static void test_what_was_asked_for(void **state UNUSED)
{
	struct mail_params p = parsed("HOLDFOR=86400 by=120;rt MT-PRIORITY=-9 REQUIRETLS");

	assert_int_equal(p.hold_for, 86400);
	assert_int_equal(p.by_mode, BY_RETURN);
	assert_int_equal(p.by_time, 120);
	assert_int_equal(p.priority, 1);
	assert_true(p.require_tls);
	p = parsed("HOLDUNTIL=2026-11-21T22:38:00+01:00 BY=-999999999;N MT-PRIORITY=9");
	assert_int_equal(p.hold_until, 1795297080000000);
	assert_int_equal(p.by_mode, BY_NOTIFY);
	assert_int_equal(p.by_time, -999999999);
	assert_int_equal(p.priority, 19);
	p = parsed("HOLDUNTIL=2026-11-21T21:38:00Z BY=+0;N MT-PRIORITY=0");
	assert_int_equal(p.hold_until, 1795297080000000);
	assert_int_equal(p.by_time, 0);
	assert_int_equal(p.priority, 10);
	p = parsed("");
	assert_true(p.hold_for == 0 && p.hold_until == 0 && p.by_mode == BY_NONE && p.priority == 0 && !p.require_tls);
}

static void test_what_was_asked_for_wrongly(void **state UNUSED)
{
	static const char *const bad[] = {
		"HOLDFOR=0",
		"HOLDFOR=",
		"HOLDFOR",
		"HOLDFOR=-1",
		"HOLDFOR=012",
		"HOLDFOR=1000000000",
		"HOLDFOR=1s",
		"HOLDFOR=1 HOLDFOR=1",
		"HOLDUNTIL=",
		"HOLDUNTIL=tomorrow",
		"HOLDUNTIL=2026-11-21",
		"HOLDUNTIL=2026-11-21T21:38:00",
		"HOLDUNTIL=2026-13-21T21:38:00Z",
		"HOLDUNTIL=1960-01-01T00:00:00Z",
		"BY=",
		"BY",
		"BY=1",
		"BY=1;",
		"BY=;R",
		"BY=1;X",
		"BY=1;T",
		"BY=1;RTT",
		"BY=1;RN",
		"BY=0;R",
		"BY=-5;R",
		"BY=1000000000;N",
		"BY=--1;N",
		"BY=1;R BY=1;R",
		"REQUIRETLS=",
		"REQUIRETLS=yes",
		"REQUIRETLS REQUIRETLS",
	};
	static const char *const priorities[] = {"=10", "=-10", "=", "=+1", "=-0", "=01", "=x", "", "=1.0"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_mail_refused(bad[i], 501);
	for (size_t i = 0; i < ARRAY_LEN(priorities); i++) {
		ARENA(a, 4096);
		struct mail_params p;

		assert_int_equal(mail_params_parse(arena_printf(&a, "MT-PRIORITY%s", priorities[i]), ALL, &a, &p),
		                 E_SYNTAX);
		assert_int_equal(err_info()->reply, 501);
		assert_string_equal(err_info()->status, "5.5.2");
	}
}

static void test_what_is_not_offered_is_not_known(void **state UNUSED)
{
	static const struct {
		const char *text;
		unsigned offer;
	} params[] = {
		{"AUTH=<>", PARAMS_SUBMISSION},
		{"HOLDFOR=1", PARAMS_SUBMISSION},
		{"HOLDUNTIL=2026-11-21T21:38:00Z", PARAMS_SUBMISSION},
		{"MT-PRIORITY=1", PARAMS_SUBMISSION},
		{"BY=1;R", PARAMS_DELIVERBY},
		{"REQUIRETLS", PARAMS_REQUIRETLS},
	};
	ARENA(a, 4096);
	struct mail_params p;

	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		assert_int_equal(mail_params_parse(str_from(params[i].text), params[i].offer, &a, &p), OK);
		assert_int_equal(mail_params_parse(str_from(params[i].text), ALL & ~params[i].offer, &a, &p), E_SYNTAX);
		assert_int_equal(err_info()->reply, 555);
	}
}

#define NOW 1795297080000000
#define SEC 1000000

static err times(const char *text, uint64_t *hold_until, uint64_t *deliver_by)
{
	struct mail_params p = parsed(text);

	return mail_params_times(&p, NOW, hold_until, deliver_by);
}

static void assert_times(const char *text, uint64_t hold, uint64_t by)
{
	uint64_t hold_until, deliver_by;

	assert_int_equal(times(text, &hold_until, &deliver_by), OK);
	assert_int_equal(hold_until, hold);
	assert_int_equal(deliver_by, by);
}

static void assert_times_refused(const char *text)
{
	uint64_t hold_until, deliver_by;

	if (times(text, &hold_until, &deliver_by) != E_SYNTAX)
		fail_msg("%s", text);
	assert_int_equal(err_info()->reply, 501);
	assert_string_equal(err_info()->status, "5.5.4");
}

static void test_times(void **state UNUSED)
{
	assert_times("", 0, 0);
	assert_times("HOLDFOR=10", NOW + 10 * SEC, 0);
	assert_times("HOLDFOR=2592000", NOW + 2592000ll * SEC, 0);
	assert_times("HOLDUNTIL=2026-11-21T21:38:05Z BY=6;R", NOW + 5 * SEC, NOW + 6 * SEC);
	assert_times("BY=-5;N", 0, NOW - 5 * SEC);
	assert_times_refused("HOLDFOR=2592001");
	assert_times_refused("HOLDUNTIL=2026-12-21T21:38:01Z");
	assert_times_refused("HOLDUNTIL=2026-11-21T21:37:59Z");
	assert_times_refused("HOLDFOR=1 HOLDUNTIL=2026-11-21T21:38:05Z");
	assert_times_refused("HOLDFOR=10 BY=10;R");
}

static void test_size_does_not_wrap(void **state UNUSED)
{
	ARENA(a, 4096);
	struct mail_params p;

	assert_int_equal(mail_params_parse(STR("SIZE=99999999999999999999"), ALL, &a, &p), OK);
	assert_true(p.size == UINT64_MAX);
	assert_int_equal(mail_params_parse(STR("SIZE=18446744073709551616"), ALL, &a, &p), OK);
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

	assert_int_equal(mail_params_parse(STR("ENVID=aaaaaaaaaaaaaaaaaaaa"), ALL, &a, &p), E_LIMIT);
	assert_int_equal(err_info()->reply, 452);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_size_does_not_wrap),
		cmocka_unit_test(test_what_was_asked_for),
		cmocka_unit_test(test_what_was_asked_for_wrongly),
		cmocka_unit_test(test_what_is_not_offered_is_not_known),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_mail_refused),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_utf8_orcpt),
		cmocka_unit_test(test_rcpt_refused),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
