/* SPDX-License-Identifier: ISC */
#include "mailauth/arf.h"

#include "base/test.h"

#define HEADER                                                                                   \
	"From: <abusedesk@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; " \
	"report-type=feedback-report;\r\n"                                                       \
	"\tboundary=b\r\n\r\n--b\r\n\r\nA complaint.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
#define ORIGINAL                                                                                                \
	"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: Bob <bob@News.Example.ORG>\r\nSubject: Earn\r\n " \
	"money\r\n"                                                                                             \
	"Message-ID: <1@example.org>\r\n\r\nText\r\n--b--\r\n"

static void whole(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(json, 4096);
	struct arf f;

	assert_int_equal(arf_parse(STR(HEADER "Feedback-Type: Abuse\r\nUser-Agent: X/1\r\nVersion: 1\r\n"
	                                      "Original-Mail-From: <bounce@Mail.example.org>\r\n"
	                                      "Original-Rcpt-To: <user@example.com>\r\n"
	                                      "Arrival-Date: Thu, 8 Mar 2005 14:00:00 EDT\r\n"
	                                      "Reporting-MTA: dns; mail.example.com\r\nSource-IP: 192.0.2.1\r\n"
	                                      "Reported-Domain: example.net\r\nReported-Domain: example.ORG\r\n"
	                                      "Incidents: 5\r\n" ORIGINAL),
	                           &a, &f),
	                 OK);
	assert_str(f.type, "abuse");
	assert_str(f.user_agent, "X/1");
	assert_str(f.mail_from, "bounce@Mail.example.org");
	assert_str(f.rcpt_to, "user@example.com");
	assert_str(f.reporter, "mail.example.com");
	assert_str(f.source, "192.0.2.1");
	assert_int_equal(f.arrived, 1110304800LL * 1000000);
	assert_int_equal(f.incidents, 5);
	assert_str(f.subject, "Earn money");
	assert_str(f.message_id, "<1@example.org>");
	assert_int_equal(f.domains_n, 4);
	assert_str(f.domains[0], "example.net");
	assert_str(f.domains[1], "example.org");
	assert_str(f.domains[2], "mail.example.org");
	assert_str(f.domains[3], "news.example.org");
	arf_json(&json, &f);
	assert_true(str_starts(buf_str(&json),
	                       STR("{\"type\":\"abuse\",\"incidents\":5,\"arrived\":\"2005-03-08T18:00:00")));
	assert_true(str_ends(buf_str(&json), STR("\"subject\":\"Earn money\",\"message-id\":\"<1@example.org>\"}")));
}

static void least(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(json, 4096);
	struct arf f;

	assert_int_equal(arf_parse(STR(HEADER "\r\nFeedback-Type: other\r\n\r\n--b--\r\n"), &a, &f), OK);
	assert_int_equal(f.incidents, 1);
	assert_int_equal(f.domains_n, 0);
	arf_json(&json, &f);
	assert_str(buf_str(&json), "{\"type\":\"other\",\"incidents\":1}");
}

static void headers_only(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct arf f;

	assert_int_equal(
		arf_parse(STR(HEADER "Feedback-Type: abuse\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
	                             "From: a@example.org\r\nSubject: one\x07two\r\n--b--\r\n"),
	                  &a, &f),
		OK);
	assert_str(f.from, "a@example.org");
	assert_str(f.subject, "one two");
	assert_str(f.domains[0], "example.org");
}

static void none(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	ARENA(small, 300);
	struct arf f;

	assert_int_equal(arf_parse(STR("From: a@example.org\r\n\r\nhello\r\n"), &a, &f), E_NOT_FOUND);
	assert_int_equal(arf_parse(STR(HEADER "User-Agent: X\r\n" ORIGINAL), &a, &f), E_SYNTAX);
	assert_int_equal(arf_parse(STR(HEADER "Feedback-Type: abuse\r\n" ORIGINAL), &small, &f), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(whole), cmocka_unit_test(least),
	                                   cmocka_unit_test(headers_only), cmocka_unit_test(none)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
