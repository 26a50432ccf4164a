/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "mailauth/report_part.h"

static const str types[] = {STR("application/tlsrpt+gzip"), STR("application/tlsrpt+json")};

static void expect(const char *message, const char *content)
{
	BUF(out, 1000);

	assert_int_equal(report_part(str_from(message), types, ARRAY_LEN(types), &out), OK);
	assert_str(buf_str(&out), content);
}

static void expect_fault(const char *message, err e)
{
	BUF(out, 10);

	if (report_part(str_from(message), types, ARRAY_LEN(types), &out) != e)
		fail_msg("%s", message);
}

static void test_message_itself(void **state UNUSED)
{
	expect("Subject: x\r\nContent-Type: application/TLSRPT+json\r\n\r\n{}\r\n", "{}\r\n");
	expect("Content-Type: application/tlsrpt+gzip; name=\"a\"\nContent-Transfer-Encoding: Base64\n\neHl6\nMQ==\n\n",
	       "xyz1");
}

static void test_part(void **state UNUSED)
{
	expect("Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"--b (1)\"\r\n\r\npreamble\r\n"
	       "----b (1)\r\nContent-Type: text/plain\r\n\r\nwords\r\n----b (1)-\r\n"
	       "----b (1)  \r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: "
	       "base64\r\n\r\neHl6\r\n"
	       "----b (1)--\r\nepilogue\r\n",
	       "xyz");
}

/* As lists and gateways wrap them; the end of a part may be missing. */
static void test_nested(void **state UNUSED)
{
	expect("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/report; boundary=b\n\n--b\n\n"
	       "words\n--b\nContent-Type: application/tlsrpt+json\n\n{}",
	       "{}");
}

static void test_encodings(void **state UNUSED)
{
	expect("Content-Type: application/tlsrpt+json\nContent-Transfer-Encoding: "
	       "quoted-printable\n\na=3D=3db=\nc=\r\nd=x=4",
	       "a==bcd=x=4");
	expect("Content-Type: application/tlsrpt+json\nContent-Transfer-Encoding: base64\n\n e*H l6\r\nMQ", "xyz1");
	expect_fault("Content-Type: application/tlsrpt+json\nContent-Transfer-Encoding: base64\n\neHl6M", E_SYNTAX);
	expect_fault("Content-Type: application/tlsrpt+json\nContent-Transfer-Encoding: uuencode\n\nx", E_SYNTAX);
	expect_fault("Content-Type: application/tlsrpt+json\n\n12345678901", E_LIMIT);
	expect_fault("Content-Type: application/tlsrpt+json\nContent-Transfer-Encoding: base64\n\n"
	             "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
	             E_LIMIT);
}

static void test_none(void **state UNUSED)
{
	BUF(deep, 1 << 16);

	expect_fault("", E_NOT_FOUND);
	expect_fault("Subject: x\r\n\r\napplication/tlsrpt+json\r\n", E_NOT_FOUND);
	expect_fault("Content-Type: multipart/report\n\n--\nContent-Type: application/tlsrpt+json\n\n{}", E_NOT_FOUND);
	expect_fault("Content-Type: multipart/report; boundary=a\n\nContent-Type: application/tlsrpt+json\n\n{}",
	             E_NOT_FOUND);
	buf_puts(&deep, "Content-Type: multipart/mixed; boundary=a\n\n");
	for (int i = 0; i < 60; i++)
		buf_puts(&deep, "--a\n\n\n");
	buf_puts(&deep, "--a\nContent-Type: application/tlsrpt+json\n\n{}\n");
	buf_putc(&deep, '\0');
	expect_fault(deep.p, E_NOT_FOUND);
	buf_reset(&deep);
	for (int i = 0; i < 10; i++)
		buf_printf(&deep, "Content-Type: multipart/mixed; boundary=a%d\n\n--a%d\n", i, i);
	buf_puts(&deep, "Content-Type: application/tlsrpt+json\n\n{}\n");
	buf_putc(&deep, '\0');
	expect_fault(deep.p, E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_itself), cmocka_unit_test(test_part), cmocka_unit_test(test_nested),
		cmocka_unit_test(test_encodings),      cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
