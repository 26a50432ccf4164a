/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/date.h"
#include "mailauth/gzip.h"
#include "mailauth/report_fake.h"
#include "mailauth/tls_report.h"

/* --- RFC 8460 3: the record --- */

static err record(const char *text, struct arena *a, struct tls_report_record *out)
{
	str txt = str_from(text);

	return tls_report_record(&txt, 1, a, out);
}

static void test_record(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	struct tls_report_record r;

	assert_int_equal(record("v=TLSRPTv1;rua=mailto:reports@example.com", &a, &r), OK);
	assert_int_equal(r.n, 1);
	assert_true(r.uris[0].mail);
	assert_str(r.uris[0].to, "reports@example.com");
	assert_int_equal(record("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", &a, &r), OK);
	assert_false(r.uris[0].mail);
	assert_str(r.uris[0].to, "https://reporting.example.com/v1/tlsrpt");
	assert_str(r.uris[0].host, "reporting.example.com");
	assert_int_equal(r.uris[0].port, 443);
	assert_int_equal(record("v=TLSRPTv1; rua=HTTPS://Reporting.Example.com:8443", &a, &r), OK);
	assert_str(r.uris[0].host, "reporting.example.com");
	assert_int_equal(r.uris[0].port, 8443);
	assert_int_equal(
		record("v=TLSRPTv1 \t; x-y=a;rua=MAILTO:a%2Bb@example.com?subject=x , https://e.example/?a=b;", &a, &r),
		OK);
	assert_int_equal(r.n, 2);
	assert_str(r.uris[0].to, "a+b@example.com");
	assert_str(r.uris[1].to, "https://e.example/?a=b");
}

/* What we cannot report to is passed over, and there is an end to how many are written to. */
static void test_record_of_many(void **state UNUSED)
{
	ARENA(a, 64 << 10);
	struct tls_report_record r;

	assert_int_equal(
		record("v=TLSRPTv1; nonsense; rua=ftp://x.example/, http://x.example/, mailto:, mailto:a@b.example", &a,
	               &r),
		OK);
	assert_int_equal(r.n, 1);
	assert_str(r.uris[0].to, "a@b.example");
	assert_int_equal(record("v=TLSRPTv1; rua=mailto:1@b.example,mailto:2@b.example,mailto:3@b.example,"
	                        "mailto:4@b.example,mailto:5@b.example",
	                        &a, &r),
	                 OK);
	assert_int_equal(r.n, TLS_REPORT_URIS_MAX);
}

static void test_bad_record(void **state UNUSED)
{
	static const char *const bad[] = {
		"v=TLSRPTv1;",
		"v=TLSRPTv1; rua=",
		"v=TLSRPTv1; RUA=mailto:a@b.example",
		"v=TLSRPTv1; rua=a@b.example",
		"v=TLSRPTv1; rua=mailto:a@b.example%0d%0aBcc:c@d.example",
		"v=TLSRPTv1; rua=mailto:a%@b.example",
		"v=TLSRPTv1; rua=mailto:a%4g@b.example",
		"v=TLSRPTv1; rua=mailto:a@b.example!10m",
		"v=TLSRPTv1; rua=mailto:%c3%bc@b.example",
		"v=TLSRPTv1; rua=mailto:a",
		"v=TLSRPTv1; rua=https://",
		"v=TLSRPTv1; rua=https:///x",
		"v=TLSRPTv1; rua=https://192.0.2.1/x",
		"v=TLSRPTv1; rua=https://[2001:db8::1]/x",
		"v=TLSRPTv1; rua=https://user@b.example/x",
		"v=TLSRPTv1; rua=https://user:1@b.example/x",
		"v=TLSRPTv1; rua=https://b.example:0/x",
		"v=TLSRPTv1; rua=https://b.example:65536/x",
		"v=TLSRPTv1; rua=https://b.example:x/",
		"v=TLSRPTv1; rua=https://b.example\\@c.example/",
		"v=TLSRPTv1; rua=https://b.example/a b",
		"v=TLSRPTv1; rua=https://b.example/\x01",
	};
	ARENA(a, 64 << 10);
	ARENA(none, 4);
	struct tls_report_record r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (record(bad[i], &a, &r) != E_SYNTAX)
			fail_msg("%s", bad[i]);
	assert_int_equal(record("v=TLSRPTv1; rua=mailto:a@b.example", &none, &r), E_LIMIT);
}

/* "records which do not begin with "v=TLSRPTv1;" are discarded. If the number of resulting records is not one, senders MUST assume the recipient domain does not
 * implement TLSRPT." */
static void test_several_records(void **state UNUSED)
{
	const str one[] = {STR("v=spf1 -all"),
	                   STR("v=TLSRPTv1; rua=mailto:a@b.example"),
	                   STR("v=TLSRPTv2; rua=mailto:c@b.example"),
	                   STR("V=TLSRPTv1; rua=mailto:c@b.example"),
	                   STR("v=TLSRPTv1"),
	                   STR("")};
	const str two[] = {STR("v=TLSRPTv1; rua=mailto:a@b.example"), STR("v=TLSRPTv1; x")};
	ARENA(a, 64 << 10);
	struct tls_report_record r;

	assert_int_equal(tls_report_record(one, ARRAY_LEN(one), &a, &r), OK);
	assert_str(r.uris[0].to, "a@b.example");
	assert_int_equal(tls_report_record(two, ARRAY_LEN(two), &a, &r), E_NOT_FOUND);
	assert_int_equal(tls_report_record(two, 0, &a, &r), E_NOT_FOUND);
}

/* --- RFC 8460 4.4: the report --- */

static const str strings[] = {STR("version: STSv1"), STR("mode: testing"), STR("mx: *.mail.company-y.example")};
static const str hosts[] = {STR("*.mail.company-y.example")};
static const struct tls_report_failure details[] = {
	{.result = STR("certificate-expired"),
         .sending_ip = STR("2001:db8:abcd:12::1"),
         .receiving_host = STR("mx1.mail.company-y.example"),
         .sessions = 100},
	{.result = STR("validation-failure"),
         .receiving_helo = STR("mx2"),
         .receiving_ip = STR("203.0.113.58"),
         .information = STR("https://a.example/"),
         .reason = STR("a \"word\"\n"),
         .sessions = 3},
};
static const struct tls_report_policy policies[] = {
	{.type = STR("sts"),
         .domain = STR("company-y.example"),
         .strings = strings,
         .strings_n = 3,
         .hosts = hosts,
         .hosts_n = 1,
         .successes = 5326,
         .failures = 103,
         .details = details,
         .details_n = 2},
	{.type = STR("no-policy-found"), .domain = STR("company-y.example"), .successes = 1},
};
#define DAY (INT64_C(1459468800) * USEC_PER_SEC) /* 2016-04-01 */
static const struct tls_report report = {.organization = STR("company-x.example"),
                                         .contact = STR("postmaster@company-x.example"),
                                         .id = STR("20160401.company-y.example.5K@company-x.example"),
                                         .from = DAY,
                                         .until = DAY + 86399 * USEC_PER_SEC,
                                         .policies = policies,
                                         .policies_n = 2};

static void test_print(void **state UNUSED)
{
	BUF(b, 1 << 16);

	tls_report_print(&b, &report);
	assert_str(
		buf_str(&b),
		"{\"organization-name\":\"company-x.example\",\"date-range\":{\"start-datetime\":\"2016-04-01T00:00:"
		"00Z\","
		"\"end-datetime\":\"2016-04-01T23:59:59Z\"},\"contact-info\":\"postmaster@company-x.example\","
		"\"report-id\":\"20160401.company-y.example.5K@company-x.example\",\"policies\":[{\"policy\":{\"policy-"
		"type\":"
		"\"sts\",\"policy-string\":[\"version: STSv1\",\"mode: testing\",\"mx: *.mail.company-y.example\"],"
		"\"policy-domain\":\"company-y.example\",\"mx-host\":[\"*.mail.company-y.example\"]},\"summary\":{"
		"\"total-successful-session-count\":5326,\"total-failure-session-count\":103},\"failure-details\":[{"
		"\"result-type\":\"certificate-expired\",\"sending-mta-ip\":\"2001:db8:abcd:12::1\","
		"\"receiving-mx-hostname\":\"mx1.mail.company-y.example\",\"failed-session-count\":100},{\"result-"
		"type\":"
		"\"validation-failure\",\"receiving-mx-helo\":\"mx2\",\"receiving-ip\":\"203.0.113.58\","
		"\"failed-session-count\":3,\"additional-information\":\"https://a.example/\",\"failure-reason-code\":"
		"\"a \\\"word\\\"\\n\"}]},{\"policy\":{\"policy-type\":\"no-policy-found\",\"policy-domain\":"
		"\"company-y.example\"},\"summary\":{\"total-successful-session-count\":1,\"total-failure-session-"
		"count\":0}}]}");
	buf_reset(&b);
	tls_report_print(&b, &(struct tls_report){0});
	assert_true(str_ends(buf_str(&b), STR("\"policies\":[]}")));
}

/* RFC 8460 5.1 */
static void test_file_name(void **state UNUSED)
{
	BUF(b, 1000);

	tls_report_file_name(&b, &report, STR("company-y.example"));
	assert_str(buf_str(&b),
	           "company-x.example!company-y.example!1459468800!1459555199!20160401companyyexample5K.json.gz");
}

/* RFC 8460 5.3 */
static void test_mail(void **state UNUSED)
{
	BUF(json, 1 << 16);
	BUF(packed, 1 << 16);
	BUF(mail, 1 << 16);
	BUF(part, 1 << 16);
	ARENA(a, 1 << 20);
	struct tls_report again;

	tls_report_print(&json, &report);
	assert_int_equal(gzip_pack(buf_str(&json), &packed), OK);
	tls_report_mail_print(&mail, &(struct tls_report_mail){.report = &report,
	                                                       .domain = STR("company-y.example"),
	                                                       .to = STR("reports@company-y.example"),
	                                                       .message_id = STR("<1@company-x.example>"),
	                                                       .packed = buf_str(&packed),
	                                                       .at = DAY + 90000 * USEC_PER_SEC});
	assert_true(str_starts(
		buf_str(&mail),
		STR("Date: Sat, 2 Apr 2016 01:00:00 +0000\r\nFrom: <postmaster@company-x.example>\r\n"
	            "To: <reports@company-y.example>\r\nSubject: Report Domain: company-y.example\r\n"
	            "\tSubmitter: company-x.example\r\n\tReport-ID: "
	            "<20160401.company-y.example.5K@company-x.example>\r\n"
	            "Message-ID: <1@company-x.example>\r\nTLS-Report-Domain: company-y.example\r\n"
	            "TLS-Report-Submitter: company-x.example\r\nTLS-Required: No\r\nAuto-Submitted: auto-generated\r\n"
	            "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=tlsrpt;\r\n"
	            "\tboundary=\"=_tlsrpt_20160401companyyexample5K\"\r\n\r\n")));
	assert_true(str_contains(buf_str(&mail), STR("\r\n5327 succeeded, 103 failed.\r\n")));
	assert_true(str_contains(buf_str(&mail),
	                         STR("\r\nContent-Disposition: attachment;\r\n\tfilename=\"company-x.example!")));
	assert_true(str_is_ascii(buf_str(&mail)));
	assert_int_equal(report_part(buf_str(&mail), "application", "tlsrpt+gzip", &part), OK);
	assert_true(str_equal(buf_str(&part), buf_str(&packed)));
	assert_int_equal(tls_report_parse(buf_str(&part), &a, &again), OK);
	assert_int_equal(again.policies[0].successes, 5326);
	assert_str(again.policies[0].details[1].reason, "a \"word\"");
	assert_int_equal(again.until, report.until);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),     cmocka_unit_test(test_record_of_many),
		cmocka_unit_test(test_bad_record), cmocka_unit_test(test_several_records),
		cmocka_unit_test(test_print),      cmocka_unit_test(test_file_name),
		cmocka_unit_test(test_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
