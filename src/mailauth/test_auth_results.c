/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "mailauth/auth_results.h"

#define HOST STR("mx.example.org")

/* --- written (RFC 8601 2.2) --- */

static struct auth_results r;
static struct spf_result spf;
static struct iprev_result iprev;
static struct dkim_result dkim[3];
static struct dmarc_result dmarc;
static struct arc_result arc;

static int begin(void **state UNUSED)
{
	spf = (struct spf_result){.result = AUTH_PASS, .domain = STR("example.com")};
	iprev = (struct iprev_result){AUTH_PASS, STR("mail.example.com")};
	dkim[0] = (struct dkim_result){.result = AUTH_PASS,
	                               .domain = STR("example.com"),
	                               .selector = STR("s1"),
	                               .identity = STR("@example.com"),
	                               .algorithm = STR("rsa-sha256"),
	                               .b = STR("ab/cd+ef="),
	                               .bits = 2048};
	dkim[2] = (struct dkim_result){.skipped = true, .domain = STR("example.com"), .why = STR("not verified")};
	dkim[1] = (struct dkim_result){
		.result = AUTH_FAIL, .domain = STR("x.example"), .why = STR("the \"body\" was changed")};
	dmarc = (struct dmarc_result){.result = AUTH_FAIL,
	                              .policy = DMARC_QUARANTINE,
	                              .record = {.domain = STR("example.com"), .p = DMARC_REJECT, .sp = DMARC_NONE},
	                              .why = STR("nothing is aligned")};
	arc = (struct arc_result){.result = AUTH_PASS, .n = 2, .oldest_pass = 1};
	r = (struct auth_results){.hostname = HOST,
	                          .client = STR("192.0.2.1"),
	                          .sender = STR("alice@example.com"),
	                          .helo = STR("helo.example"),
	                          .author = STR("example.com")};
	return 0;
}

static void assert_printed(const char *want)
{
	BUF(out, 16 << 10);

	auth_results_print(&out, &r);
	assert_str(buf_str(&out), want);
}

static void test_none(void **state UNUSED)
{
	BUF(out, 1000);

	assert_printed("Authentication-Results: mx.example.org; none\r\n");
	auth_results_value(&out, &r);
	assert_str(buf_str(&out), "mx.example.org; none");
}

static void test_all(void **state UNUSED)
{
	BUF(out, 16 << 10);

	r.spf = &spf;
	r.iprev = &iprev;
	r.dkim = dkim;
	r.dkim_n = 3;
	r.dmarc = &dmarc;
	r.arc = &arc;
	r.login = STR("alice");
	assert_printed(
		"Authentication-Results: mx.example.org;\r\n"
		"\tspf=pass smtp.mailfrom=alice@example.com;\r\n"
		"\tdkim=pass (2048-bit key) header.d=example.com header.i=@example.com header.s=s1 header.a=rsa-sha256"
		" header.b=\"ab/cd+ef=\";\r\n"
		"\tdkim=fail reason=\"the \\\"body\\\" was changed\" header.d=x.example;\r\n"
		"\tdmarc=fail (p=reject sp=none) reason=\"nothing is aligned\" header.from=example.com"
		" policy.dmarc=quarantine;\r\n"
		"\tarc=pass (i=2) header.oldest-pass=1 smtp.remote-ip=192.0.2.1;\r\n"
		"\tiprev=pass (mail.example.com) policy.iprev=192.0.2.1;\r\n"
		"\tauth=pass smtp.auth=alice\r\n");
	r.dkim_n = 0;
	r.arc = NULL;
	r.login = STR_NONE;
	r.client = STR("2001:db8::1");
	spf = (struct spf_result){.result = AUTH_TEMPERROR, .helo = true, .why = STR("the DNS fails")};
	auth_results_value(&out, &r);
	assert_str(buf_str(&out),
	           "mx.example.org; spf=temperror reason=\"the DNS fails\" smtp.helo=helo.example; dkim=none;"
	           " dmarc=fail (p=reject sp=none) reason=\"nothing is aligned\" header.from=example.com"
	           " policy.dmarc=quarantine; iprev=pass (mail.example.com) policy.iprev=\"2001:db8::1\"");
}

/* What others gave never becomes syntax, nor another line. */
static void test_hostile_values(void **state UNUSED)
{
	static const struct {
		str sender;
		const char *want;
	} list[] = {
		{STR("a;b@example.com"), "\"a;b@example.com\""},
		{STR("\"a b\"@example.com"), "\"\\\"a b\\\"@example.com\""},
		{STR("a@(example).com"), "\"a@(example).com\""},
		{STR("a@[192.0.2.1]"), "\"a@[192.0.2.1]\""},
		{STR("a=b@example.com"), "a=b@example.com"},
		{STR("a\r\nX: y@example.com"), NULL},
		{STR("a\0b@example.com"), NULL},
		{STR("\xc3\xa4@example.com"), NULL},
	};
	BUF(want, 1000);

	r.spf = &spf;
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		r.sender = list[i].sender;
		buf_reset(&want);
		buf_puts(&want, "Authentication-Results: mx.example.org;\r\n\tspf=pass");
		if (list[i].want != NULL)
			buf_printf(&want, " smtp.mailfrom=%s", list[i].want);
		buf_puts(&want, "\r\n");
		buf_putc(&want, 0);
		assert_printed(want.p);
	}
	r.sender = STR_NONE;
	spf.result = AUTH_FAIL;
	spf.why = STR("a\r\nb\xff\"");
	assert_printed("Authentication-Results: mx.example.org;\r\n\tspf=fail reason=\"a??b?\\\"\"\r\n");
	spf.why = STR_NONE;
	r.iprev = &iprev;
	iprev.name = STR("a) dmarc=pass (");
	assert_printed(
		"Authentication-Results: mx.example.org;\r\n\tspf=fail;\r\n\tiprev=pass policy.iprev=192.0.2.1\r\n");
}

/* --- forged ones (RFC 8601 5) --- */

static void test_ours(void **state UNUSED)
{
	static const char *const list[] = {
		" mx.example.org; spf=pass",
		"mx.example.org",
		"mx.example.org\302\240; spf=pass",
		"mx.example.org;none",
		"MX.Example.ORG; spf=pass",
		"\r\n mx.example.org; spf=pass",
		"\r\n\t \r\n mx.example.org\r\n ;\r\n spf=pass",
		" mx.example.org 1; spf=pass",
		" mx.example.org 1 ; spf=pass",
		" mx.example.org\t27; spf=pass",
		" mx.example.org/1; spf=pass",
		" mx.example.org (comment); spf=pass",
		" (comment) mx.example.org; spf=pass",
		" (a (nested \\) one) b) mx.example.org (c); spf=pass",
		"(x;y)mx.example.org(z); spf=pass",
		"(\r\n other.example;\r\n) mx.example.org; spf=pass",
		" \"mx.example.org\"; spf=pass",
		" \"mx.ex\\ample.org\"; spf=pass",
		" \"MX.EXAMPLE.ORG\" 1; spf=pass",
		" \" mx.example.org \"; spf=pass",
		" mx.\"example\".org; spf=pass",
		" mx(c).example.org; spf=pass",
		" mx . example . org; spf=pass",
		" mx.example.org.; spf=pass",
		" mx.example.org. 1; spf=pass",
		" mx.example.org=; spf=pass",
		" mx.example.org, other.example; spf=pass",
		" mx.example.org spf=pass",
		" mx.example.org@other.example; spf=pass",
		" =?us-ascii?q?mx=2Eexample=2Eorg?=; spf=pass",
		" =?utf-8?b?bXguZXhhbXBsZS5vcmc=?=; spf=pass",
		" m\xef\xbd\x98.example.org; spf=pass", /* a full-width x, which is an x in names */
		" mx.example\x01.org; spf=pass",
		" (mx.example.org; spf=pass",  /* a comment that does not end */
		" \"mx.example.org; spf=pass", /* nor does this */
		" other.example (; mx.example.org; spf=pass",
		" ; spf=pass", /* nobody's */
		"",
		" (only a comment)",
		" \"\"; spf=pass",
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (!auth_results_is_ours(str_from(list[i]), HOST))
			fail_msg("%s", list[i]);
	assert_true(auth_results_is_ours(STR("mx.exa\0mple.org; spf=pass"), HOST));
	assert_true(auth_results_is_ours(STR("b\303\274cher.example; spf=pass"), STR("xn--bcher-kva.example")));
}

static void test_not_ours(void **state UNUSED)
{
	static const char *const list[] = {
		" other.example; spf=pass",
		" other.example; spf=pass smtp.mailfrom=mx.example.org",
		" mx.example.org.evil.example; spf=pass",
		" mx.example.organic; spf=pass",
		" mx.example.org-x; spf=pass",
		" xmx.example.org; spf=pass",
		" example.org; spf=pass",
		" (mx.example.org) other.example; spf=pass",
		" other.example (mx.example.org); spf=pass",
		" other.example; spf=pass (mx.example.org",
		" b\303\274cher.example; spf=pass",
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (auth_results_is_ours(str_from(list[i]), HOST))
			fail_msg("%s", list[i]);
}

static void test_large(void **state UNUSED)
{
	BUF(text, 8 << 20);

	for (int i = 0; i < 500000; i++)
		buf_puts(&text, "(\"x\\");
	assert_false(auth_results_is_ours(buf_str(&text), HOST));
	buf_puts(&text, "mx.example.org");
	assert_true(auth_results_is_ours(buf_str(&text), HOST));
	buf_reset(&text);
	for (int i = 0; i < 500000; i++)
		buf_puts(&text, "(x) x ");
	assert_false(auth_results_is_ours(buf_str(&text), HOST));
	for (int i = 0; i < 500000; i++)
		buf_puts(&text, "; a=pass b=c");
	assert_false(auth_results_passed(buf_str(&text), STR("dmarc"), STR("header.from"), STR("example.com")));
}

/* --- what a chain says --- */

static bool passed(const char *value)
{
	return auth_results_passed(str_from(value), STR("dmarc"), STR("header.from"), STR("example.com"));
}

static void test_passed(void **state UNUSED)
{
	assert_true(passed("lists.example; dmarc=pass header.from=example.com"));
	assert_true(passed(
		"lists.example; spf=fail smtp.mailfrom=x.example; DMARC = Pass (p=reject) header.from = Example.COM"));
	assert_true(
		passed("lists.example 1; dmarc/1=pass reason=\"x;y\" header.from=\"example.com\" policy.dmarc=none"));
	assert_true(passed("lists.example; dkim=pass; dmarc=pass header.from=@example.com; none"));
	assert_true(passed("lists.example; dmarc=fail header.from=example.com; dmarc=pass header.from=a@example.com"));
	assert_false(passed("lists.example; dmarc=fail header.from=example.com"));
	assert_false(passed("lists.example; dmarc=pass header.from=x.example"));
	assert_false(passed("lists.example; dmarc=pass header.d=example.com"));
	assert_false(passed("lists.example; dmarc=pass; spf=pass header.from=example.com"));
	assert_false(passed("lists.example; dmarc=fail (dmarc=pass header.from=example.com)"));
	assert_false(passed("lists.example; dmarc=fail reason=\"; dmarc=pass header.from=example.com\""));
	assert_false(passed("lists.example; dmarc=pass header.from=example.com.x"));
	assert_false(passed("lists.example; x dmarc=pass header.from=example.com"));
	assert_false(passed("dmarc=pass header.from=example.com"));
	assert_false(passed("lists.example; none"));
	assert_false(passed("lists.example; dmarc=pass (header.from=example.com"));
	assert_false(passed(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, begin),
		cmocka_unit_test_setup(test_all, begin),
		cmocka_unit_test_setup(test_hostile_values, begin),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_passed),
	};

	return cmocka_run_group_tests_name("auth_results", tests, NULL, NULL);
}
