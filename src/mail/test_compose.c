/* SPDX-License-Identifier: ISC */
#include "mail/compose.h"

#include "base/test.h"

static struct compose sample(void)
{
	static const struct compose_person to[] = {{STR("Bob B."), STR("bob@example.org")},
	                                           {STR(""), STR("carol@example.org")}};

	return (struct compose){.from = {STR("Zo\xc3\xab"), STR("zoe@example.org")},
	                        .to = to,
	                        .to_n = 2,
	                        .subject = STR("Lunch"),
	                        .message_id = STR("<1@example.org>"),
	                        .text = STR("Hello\nthere"),
	                        .boundary = STR("=_abcdefghijklmnopqrstuvwxyz")};
}

static void test_plain(void **state UNUSED)
{
	struct compose m = sample();
	BUF(out, 10000);

	assert_int_equal(compose_message(&out, &m), OK);
	assert_str(buf_str(&out), "From: =?utf-8?B?Wm/Dqw==?= <zoe@example.org>\r\n"
	                          "To: \"Bob B.\" <bob@example.org>,\r\n carol@example.org\r\n"
	                          "Subject: Lunch\r\n"
	                          "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"
	                          "Message-ID: <1@example.org>\r\n"
	                          "MIME-Version: 1.0\r\n"
	                          "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
	                          "Hello\r\nthere\r\n");
}

static void test_attachment(void **state UNUSED)
{
	static const struct compose_attachment a[] = {
		{STR("a b.png"), STR("image/png"), STR("\x89PNG")},
		{STR("r\xc3\xa9sum\xc3\xa9.txt"), STR(""), STR("x")},
	};
	struct compose m = sample();
	BUF(out, 10000);

	m.text = STR("gr\xc3\xbc\xc3\x9f\x65");
	m.attachments = a;
	m.attachments_n = 2;
	assert_int_equal(compose_message(&out, &m), OK);
	str rest = buf_str(&out);
	assert_true(str_contains(rest, STR("Content-Type: multipart/mixed;\r\n boundary=\"=_abcdefghijklmnopqrstuvwxyz\"\r\n\r\n"
	                                   "--=_abcdefghijklmnopqrstuvwxyz\r\n"
	                                   "Content-Type: text/plain; charset=utf-8\r\n"
	                                   "Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BC=C3=9Fe\r\n"
	                                   "--=_abcdefghijklmnopqrstuvwxyz\r\nContent-Type: image/png\r\n")));
	assert_true(str_contains(rest, STR("Content-Disposition: attachment;\r\n filename*0*=utf-8''a%20b.png\r\n\r\niVBORw==\r\n")));
	assert_true(str_contains(rest, STR("filename*0*=utf-8''r%C3%A9sum%C3%A9.txt\r\n")));
	assert_true(str_ends(rest, STR("--=_abcdefghijklmnopqrstuvwxyz--\r\n")));
}

static void test_text(void **state UNUSED)
{
	struct compose m = sample();
	BUF(out, 10000);

	m.text = STR("\xff");
	assert_int_equal(compose_message(&out, &m), E_SYNTAX);
	struct buf small = BUF_INIT(50);
	m.text = STR("x");
	assert_int_equal(compose_message(&small, &m), E_LIMIT);
	buf_free(&small);
	buf_reset(&out);
	compose_lines(&out, STR("a\rb\nc\r\nd\n\n"));
	assert_str(buf_str(&out), "a\r\nb\r\nc\r\nd\r\n\r\n");
}

static void person(const char *text, const char *name, const char *address)
{
	struct compose_person p;
	ARENA(a, 10000);

	assert_int_equal(compose_person(str_from(text), &a, &p), OK);
	assert_str(p.name, name);
	assert_str(p.address, address);
}

static void test_people(void **state UNUSED)
{
	struct compose_person p;
	ARENA(a, 10000);

	person("a@b.example", "", "a@b.example");
	person(" <a@b.example> ", "", "a@b.example");
	person("Al I. <a@b.example>", "Al I.", "a@b.example");
	person("\"Q \\\"x\\\" <y>\" <a@b.example>", "Q \"x\" <y>", "a@b.example");
	assert_int_equal(compose_person(STR("nobody"), &a, &p), E_SYNTAX);
	assert_int_equal(compose_person(STR("a@b.example, c@d.example"), &a, &p), E_SYNTAX);
	assert_int_equal(compose_person(STR("x\r\nBcc: y <a@b.example>"), &a, &p), E_SYNTAX);
	assert_int_equal(compose_person(STR("a@b.example>"), &a, &p), E_SYNTAX);
}

static void test_fields(void **state UNUSED)
{
	assert_int_equal(compose_field(STR("X-Mailer: pombo")), OK);
	assert_int_equal(compose_field(STR("no colon")), E_SYNTAX);
	assert_int_equal(compose_field(STR("Bad Name: x")), E_SYNTAX);
	assert_int_equal(compose_field(STR("X: a\r\nBcc: b")), E_SYNTAX);
	assert_int_equal(compose_field(STR("subject: x")), E_SYNTAX);
	assert_int_equal(compose_field(STR("Content-Type: x")), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),  cmocka_unit_test(test_attachment), cmocka_unit_test(test_text),
		cmocka_unit_test(test_people), cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
