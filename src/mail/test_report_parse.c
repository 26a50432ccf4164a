/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "mail/report.h"

#define HEAD   "From: x\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"b b\"\r\n\r\n"
#define STATUS "Content-Type: message/delivery-status\r\n\r\n"
#define RCPT   "Final-Recipient: rfc822; bob@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"

static struct report_found parse(struct arena *a, const char *text)
{
	struct report_found found;
	err e = report_parse(str_from(text), a, &found);

	if (e != OK)
		fail_msg("%s: %s", err_info()->text, text);
	return found;
}

/* RFC 3464 appendix E has one like it. */
static void test_report(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_found f = parse(
		&a, HEAD
		"--b b\r\n\r\nSorry.\r\n--b b\r\n" STATUS
		"Reporting-MTA: dns; cs.utk.edu (a comment)\r\nOriginal-Envelope-Id: x y\r\n\r\n"
		"Original-Recipient: rfc822;louisl@larry.slip.umd.edu\r\n"
		"Final-Recipient: rfc822;louisl@larry.slip.umd.edu\r\nAction: FAILED\r\nStatus: 4.0.0 (x)\r\n"
		"Diagnostic-Code: smtp; 426 connection timed out\r\n\r\n\r\n"
		"Final-Recipient: utf-8; j\xc3\xbc@x\r\nAction: delayed\r\nStatus: none\r\n"
		"Remote-MTA: dns; mx.example.com\r\nDiagnostic-Code: smtp; 450-a\r\n 450 b\tc\r\n"
		"--b b\r\nContent-Type: message/rfc822\r\n\r\nMessage-Id:\r\n <7@x> (y)\r\n\r\nbody\r\n--b b--\r\n");

	assert_str(f.reporting_mta, "cs.utk.edu (a comment)");
	assert_str(f.envid, "x y");
	assert_str(f.message_id, "<7@x>");
	assert_int_equal(f.rcpts_n, 2);
	assert_str(f.rcpts[0].orcpt, "rfc822;louisl@larry.slip.umd.edu");
	assert_int_equal(f.rcpts[0].action, REPORT_FAILED);
	assert_str(f.rcpts[0].status, "4.0.0");
	assert_str(f.rcpts[1].address, "j\xc3\xbc@x");
	assert_str(f.rcpts[1].status, "");
	assert_str(f.rcpts[1].reply, "450-a 450 b c");
	assert_str(f.rcpts[1].host, "mx.example.com");
}

static void test_line_ends_and_missing_parts(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_found f =
		parse(&a, "Content-Type: Multipart/Report; x=\"a;b\" ; Boundary = abc ; charset=x\n\n"
	                  "preamble\n--abcd\n--abc  \nContent-Type: Message/Delivery-Status; x=y\n\n\n\n"
	                  "Reporting-MTA: x\n\nFinal-Recipient: bob@x\nAction: relayed");

	assert_int_equal(f.rcpts_n, 1);
	assert_str(f.rcpts[0].address, "bob@x");
	assert_int_equal(f.rcpts[0].action, REPORT_RELAYED);
	assert_str(f.reporting_mta, "x");
	assert_str(f.message_id, "");
}

static void test_encoded_parts(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_found f = parse(
		&a, HEAD
		"--b b\r\nContent-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"UmVwb3J0aW5nLU1UQTogZG5zOyB4DQoNCkZpbmFsLVJlY2lwaWVudDogdXRmLTg7IGrDvEB4\r\n"
		"DQpBY3Rpb246IGZhaWxlZA0KU3RhdHVzOiA1LjEuMQ0K\r\n"
		"--b b\r\nContent-Type: message/global-headers\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n"
		"Message-ID:=20=\r\n<8@x>=3\r\n--b b--\r\n");

	assert_str(f.rcpts[0].address, "j\xc3\xbc@x");
	assert_str(f.message_id, "");
	f = parse(&a, HEAD "--b b\r\n" STATUS RCPT
	                   "--b b\r\nContent-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: "
	                   "Quoted-Printable\r\n\r\nMessage-ID:=20=\r\n<=38@x>\r\n--b b--\r\n");
	assert_str(f.message_id, "<8@x>");
}

static void test_controls_are_gone(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_found f =
		parse(&a, HEAD "--b b\r\n" STATUS RCPT "Diagnostic-Code: smtp; \x1b[2J\r\n x\ry\r\n--b b--\r\n");

	assert_str(f.rcpts[0].reply, "[2J xy");
}

static void assert_no_report(const char *text)
{
	ARENA(a, 1 << 20);
	struct report_found found;

	if (report_parse(str_from(text), &a, &found) != E_SYNTAX)
		fail_msg("%s", text);
}

static void test_what_is_none(void **state UNUSED)
{
	assert_no_report("");
	assert_no_report("Subject: x\r\n\r\nbody\r\n");
	assert_no_report("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" STATUS RCPT "--x--\r\n");
	assert_no_report("Content-Type: multipart/report\r\n\r\n--x\r\n" STATUS RCPT "--x--\r\n");
	assert_no_report("Content-Type: multipart/report; boundary=\"x\r\n\r\n--x\r\n" STATUS RCPT "--x--\r\n");
	assert_no_report(HEAD STATUS RCPT);
	assert_no_report(HEAD "--b b\r\n\r\n" RCPT "--b b--\r\n");
	assert_no_report(HEAD "--b b\r\n" STATUS "--b b--\r\n");
	assert_no_report(HEAD "--b b\r\n" STATUS
	                      "Reporting-MTA: x\r\n\r\nFinal-Recipient: rfc822; x@y\r\nAction: sold\r\n--b b--\r\n");
	assert_no_report(HEAD "--b b\r\n" STATUS "Action: failed\r\n--b b--\r\n");
	assert_no_report(HEAD "--b b--\r\n--b b\r\n" STATUS RCPT "--b b--\r\n");
}

static void test_bounds(void **state UNUSED)
{
	ARENA(a, 1 << 22);
	ARENA(small, 64);
	BUF(b, 1 << 22);
	struct report_found found;

	buf_puts(&b, HEAD "--b b\r\n" STATUS);
	for (int i = 0; i < 3000; i++)
		buf_puts(&b, RCPT "\r\n");
	assert_int_equal(report_parse(buf_str(&b), &a, &found), OK);
	assert_int_equal(found.rcpts_n, 1000);
	assert_int_equal(report_parse(buf_str(&b), &small, &found), E_LIMIT);
	buf_reset(&b);
	buf_puts(&b, HEAD);
	for (int i = 0; i < 3000; i++)
		buf_puts(&b, "--b b\r\n\r\n");
	assert_int_equal(report_parse(buf_str(&b), &a, &found), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),        cmocka_unit_test(test_line_ends_and_missing_parts),
		cmocka_unit_test(test_encoded_parts), cmocka_unit_test(test_controls_are_gone),
		cmocka_unit_test(test_what_is_none),  cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("report_parse", tests, NULL, NULL);
}
