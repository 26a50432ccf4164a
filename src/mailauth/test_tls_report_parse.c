/* SPDX-License-Identifier: ISC */
/* Reports as others write them: as they should be, as they are, and as somebody would who wants to do harm. */
#include "base/test.h"

#include <stdio.h>

#include "base/date.h"
#include "mailauth/gzip.h"
#include "mailauth/report_fake.h"
#include "mailauth/tls_report.h"
#include "conf/source_root.h"

#define SAMPLES SOURCE_ROOT "/../shared/data/reports/tls/"

static err parse(const char *json, struct arena *a, struct tls_report *out)
{
	return tls_report_parse(str_from(json), a, out);
}

/* --- samples --- */

static void read_sample(const char *name, struct buf *out)
{
	FILE *f = fopen(name, "rb");

	if (f == NULL) {
		print_message("%s is not there\n", name);
		skip();
		return;
	}
	char *p = buf_reserve(out, 1 << 20);
	assert_non_null(p);
	buf_commit(out, fread(p, 1, 1 << 20, f));
	fclose(f);
}

/* That of RFC 8460, appendix B. */
static void expect_appendix(const struct tls_report *r)
{
	const struct tls_report_policy *p = &r->policies[0];

	assert_str(r->organization, "Company-X");
	assert_str(r->contact, "sts-reporting@company-x.example");
	assert_str(r->id, "5065427c-23d3-47ca-b6e0-946ea0e8c4be");
	assert_int_equal(r->from, INT64_C(1459468800) * USEC_PER_SEC);
	assert_int_equal(r->until - r->from, INT64_C(86399) * USEC_PER_SEC);
	assert_int_equal(r->policies_n, 1);
	assert_str(p->type, "sts");
	assert_str(p->domain, "company-y.example");
	assert_int_equal(p->strings_n, 4);
	assert_str(p->strings[1], "mode: testing");
	assert_int_equal(p->hosts_n, 1);
	assert_str(p->hosts[0], "*.mail.company-y.example");
	assert_int_equal(p->successes, 5326);
	assert_int_equal(p->failures, 303);
	assert_int_equal(p->details_n, 3);
	assert_str(p->details[0].result, "certificate-expired");
	assert_str(p->details[0].sending_ip, "2001:db8:abcd:0012::1");
	assert_str(p->details[1].receiving_ip, "203.0.113.56");
	assert_int_equal(p->details[1].sessions, 200);
	assert_str(p->details[2].reason, "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED");
}

static void test_rfc8460_json(void **state UNUSED)
{
	BUF(b, 1 << 20);
	ARENA(a, 1 << 20);
	struct tls_report r;

	read_sample(SAMPLES "rfc8460.json", &b);
	assert_int_equal(tls_report_parse(buf_str(&b), &a, &r), OK);
	expect_appendix(&r);
}

static void read_mail(const char *name, struct arena *a, struct tls_report *out)
{
	BUF(mail, 1 << 20);
	BUF(part, 1 << 20);

	read_sample(name, &mail);
	assert_int_equal(report_part(buf_str(&mail), "application", "tlsrpt+gzip", &part), OK);
	assert_int_equal(tls_report_parse(buf_str(&part), a, out), OK);
}

static void test_rpt01_eml(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct tls_report r;

	read_mail(SAMPLES "rpt01.eml", &a, &r);
	expect_appendix(&r);
}

static void test_google_eml(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct tls_report r;

	read_mail(SAMPLES "google.com_smtp_tls_report.eml", &a, &r);
	assert_str(r.organization, "Google Inc.");
	assert_str(r.id, "2024-09-03T00:00:00Z_cardinalhealth.ca");
	assert_int_equal(r.policies_n, 1);
	assert_str(r.policies[0].type, "no-policy-found");
	assert_int_equal(r.policies[0].successes, 48);
	assert_int_equal(r.policies[0].details_n, 0);
}

/* --- what is not as it should be --- */

static void test_lenient(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct tls_report r;

	assert_int_equal(parse("\xef\xbb\xbf{\"policies\":[]}", &a, &r), OK);
	assert_int_equal(r.policies_n, 0);
	assert_str(r.organization, "");
	assert_int_equal(
		parse("{\"organization-name\":7,\"contact-info\":null,\"report-id\":\"a\\r\\nb\\u0007\",\"date-range\":"
	              "\"x\",\"more\":{},"
	              "\"policies\":[null,{},{\"policy\":[],\"summary\":{\"total-successful-session-count\":\"12\","
	              "\"total-failure-session-count\":3.0},\"failure-details\":{}},{\"policy\":{\"mx-host\":\"a."
	              "example\","
	              "\"policy-string\":[1,\"x\"]},\"summary\":{\"total-successful-session-count\":-4},"
	              "\"failure-details\":[1,{\"failure-error-code\":\"E\",\"failed-session-count\":true}]}]}",
	              &a, &r),
		OK);
	assert_str(r.organization, "");
	assert_str(r.id, "a  b");
	assert_int_equal(r.from, 0);
	assert_int_equal(r.policies_n, 3);
	assert_int_equal(r.policies[1].successes, 12);
	assert_int_equal(r.policies[1].failures, 3);
	assert_str(r.policies[2].hosts[0], "a.example");
	assert_int_equal(r.policies[2].strings_n, 1);
	assert_int_equal(r.policies[2].successes, 0);
	assert_int_equal(r.policies[2].details_n, 1);
	assert_str(r.policies[2].details[0].reason, "E");
	assert_int_equal(r.policies[2].details[0].sessions, 0);
}

static void test_none(void **state UNUSED)
{
	static const char *const bad[] = {"",
	                                  "[]",
	                                  "{}",
	                                  "{\"policies\":{}}",
	                                  "{\"policies\":[]} x",
	                                  "nothing",
	                                  "{\"a\"",
	                                  "\"}",
	                                  "{\"policies\":[],\"x\":\"\xff\"}"};
	ARENA(a, 1 << 20);
	struct tls_report r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse(bad[i], &a, &r) != E_SYNTAX)
			fail_msg("%s", bad[i]);
	assert_int_equal(tls_report_parse(STR("\x1f\x8b\x08"), &a, &r), E_SYNTAX);
}

/* --- what would do harm --- */

static void put_many(struct buf *b, const char *what, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_puts(b, what);
}

static void expect_limit(const char *head, const char *what, size_t n, const char *tail)
{
	BUF(b, 20 << 20);
	ARENA(a, 64 << 20);
	struct tls_report r;

	buf_puts(&b, head);
	put_many(&b, what, n);
	buf_puts(&b, tail);
	assert_int_equal(tls_report_parse(buf_str(&b), &a, &r), E_LIMIT);
}

static void test_limits(void **state UNUSED)
{
	ARENA(small, 100);
	struct tls_report r;

	expect_limit("{\"policies\":[],\"x\":", "[", 100000, "");
	expect_limit("{\"policies\":[],\"x\":", "{\"a\":", 16, "1}}}}}}}}}}}}}}}}}");
	expect_limit("{\"policies\":[],\"x\":[", "0,", 400000, "0]}");
	expect_limit("{\"policies\":[", "{},", 1000, "{}]}");
	expect_limit("{\"policies\":[{\"failure-details\":[", "0,", 20000, "0]}]}");
	expect_limit("{\"policies\":[],\"x\":\"", "abcdefghijklmnop", 1 << 20, "\"}");
	assert_int_equal(parse("{\"policies\":[{},{}]}", &small, &r), E_LIMIT);
}

/* Brackets within a string are no depth. */
static void test_brackets_in_strings(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct tls_report r;

	assert_int_equal(
		parse("{\"policies\":[],\"report-id\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"{{{{{{{{{{{{{{{{{{{{{{{{\"}", &a, &r),
		OK);
	assert_int_equal(r.id.n, 47);
}

static void test_bomb(void **state UNUSED)
{
	BUF(b, 20 << 20);
	BUF(packed, 1 << 20);
	ARENA(a, 1 << 20);
	struct tls_report r;

	put_many(&b, "                                ", (18 << 20) / 32);
	assert_int_equal(gzip_pack(buf_str(&b), &packed), OK);
	assert_true(packed.n < 100000);
	assert_int_equal(tls_report_parse(buf_str(&packed), &a, &r), E_LIMIT);
}

static void test_json(void **state UNUSED)
{
	static const struct tls_report_failure details[] = {
		{.result = STR("certificate-expired"), .receiving_host = STR("mx1"), .sessions = 100},
		{.result = STR("validation-failure"), .reason = STR("X \"quoted\""), .sessions = 3}};
	static const struct tls_report_policy policies[] = {
		{.type = STR("sts"), .successes = 5326, .failures = 103, .details = details, .details_n = 2},
		{.type = STR("tlsa"), .successes = 1}};
	static const struct tls_report r = {.organization = STR("o"),
	                                    .contact = STR("c"),
	                                    .from = 1700000000000000,
	                                    .policies = policies,
	                                    .policies_n = 2};
	BUF(out, 1000);
	BUF(small, 300);

	tls_report_json(&out, &r);
	assert_str(buf_str(&out),
	           "{\"organization\":\"o\",\"contact\":\"c\",\"from\":\"2023-11-14T22:13:20.000Z\",\"until\":\"\","
	           "\"sessions\":5430,\"failed\":103,\"failures\":["
	           "{\"result\":\"certificate-expired\",\"policy\":\"sts\",\"host\":\"mx1\",\"address\":\"\","
	           "\"source\":\"\",\"reason\":\"\",\"count\":100},"
	           "{\"result\":\"validation-failure\",\"policy\":\"sts\",\"host\":\"\",\"address\":\"\","
	           "\"source\":\"\",\"reason\":\"X \\\"quoted\\\"\",\"count\":3}]}");
	tls_report_json(&small, &r);
	assert_false(small.full);
	assert_true(str_ends(buf_str(&small), STR("\"count\":100}]}")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8460_json),
		cmocka_unit_test(test_rpt01_eml),
		cmocka_unit_test(test_google_eml),
		cmocka_unit_test(test_lenient),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_brackets_in_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
