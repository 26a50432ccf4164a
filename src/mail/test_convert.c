/* SPDX-License-Identifier: ISC */
#include "mail/convert.h"

#include "base/test.h"

#define U    "\xc3\xbc"
#define MIME "MIME-Version: 1.0\r\n"

static err convert(str message, bool eight_bit, bool binary, struct buf *out)
{
	struct convert_options o = {.eight_bit = eight_bit, .binary = binary};

	*out = BUF_INIT(convert_room(message.n));
	return convert_message(message, &o, out);
}

static void check_with(const char *message, bool eight_bit, bool binary, const char *want)
{
	CLEANUP(buf_free) struct buf out;

	assert_int_equal(convert(str_from(message), eight_bit, binary, &out), OK);
	assert_str(buf_str(&out), want);
}

static void check(const char *message, const char *want)
{
	check_with(message, false, false, want);
}

static void check_fails(str message, err want)
{
	CLEANUP(buf_free) struct buf out;
	err e = convert(message, false, false, &out);

	if (e != want)
		fail_msg("%d for " STR_FMT, (int)e, STR_ARG(message));
}

static void what_is_ascii_stays(void **state UNUSED)
{
	static const char *const messages[] = {
		"",
		"\r\n",
		"Subject: x\r\n\r\nbody\r\n",
		"From a mailbox\r\nSubject: x\r\n\r\nbody",
		MIME "Content-Type: multipart/mixed\r\n\r\nno boundary\r\n",
		MIME "Content-Transfer-Encoding: 8bit\r\n\r\nx\r\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		check(messages[i], messages[i]);
}

static void text_becomes_quoted_printable(void **state UNUSED)
{
	check(MIME "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nSubject: s\r\n\r\n"
	           "Gr" U "sse aus dem Norden = hier \r\n.\r\nEnde\r\n",
	      MIME "Content-Type: text/plain; charset=utf-8\r\nSubject: s\r\nContent-Transfer-Encoding: "
	           "quoted-printable\r\n\r\n"
	           "Gr=C3=BCsse aus dem Norden =3D hier=20\r\n.\r\nEnde\r\n");
	/* RFC 2045 6.1: the default is 7bit, which it was not */
	check(MIME "\r\nGr" U "sse aus dem Norden\r\n",
	      MIME "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BCsse aus dem Norden\r\n");
}

static void text_that_is_not_read_anyway_becomes_base64(void **state UNUSED)
{
	check(MIME "Content-Type: text/plain\r\n\r\n" U U U "\r\n",
	      MIME "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nw7zDvMO8DQo=\r\n");
}

static void others_become_base64(void **state UNUSED)
{
	check(MIME "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\nabc" U,
	      MIME "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJjw7w=\r\n");
}

static void what_was_no_mime_becomes_it(void **state UNUSED)
{
	check("Subject: s\r\n\r\nGr" U "sse aus dem Norden\r\n",
	      "Subject: s\r\n" MIME "Content-Type: text/plain; charset=unknown-8bit\r\n"
	      "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BCsse aus dem Norden\r\n");
	check("\r\nGr" U "sse aus dem Norden\r\n", MIME
	      "Content-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	      "Gr=C3=BCsse aus dem Norden\r\n");
	check("Content-Type: text/plain; charset=x\r\n\r\nGr" U "sse aus dem Norden\r\n",
	      "Content-Type: text/plain; charset=x\r\n" MIME "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	      "Gr=C3=BCsse aus dem Norden\r\n");
}

#define HEAD    MIME "Content-Type: multipart/mixed; boundary=\"b\"\r\n"
#define PART(t) "Content-Type: " t "\r\n"

static void parts(void **state UNUSED)
{
	check(HEAD "Content-Transfer-Encoding: 8bit\r\n\r\npre" U
	           "\r\n--b\r\n" PART("text/plain") "\r\nASCII\r\n--b \r\n"
	                                            "\r\nGr" U "sse aus dem Norden\r\n--bx\r\n--b\r\n" PART(
							    "image/x") "Content-Transfer-Encoding: 8bit\r\n\r\n" U
	                                                               "\r\n--b--\r\nepi" U "\r\n",
	      HEAD "\r\npre  \r\n--b\r\n" PART(
		      "text/plain") "\r\nASCII\r\n--b \r\n"
	                            "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BCsse aus dem "
	                            "Norden\r\n--bx\r\n--b\r\n" PART(
					    "image/x") "Content-Transfer-Encoding: "
	                                               "base64\r\n\r\nw7w=\r\n\r\n--b--\r\nepi    ");
}

static void parts_that_are_empty_or_do_not_end(void **state UNUSED)
{
	check(HEAD "\r\n--b\r\n--b\r\n\r\n\r\n--b\r\n" PART("image/x") "\r\n" U, HEAD
	      "\r\n--b\r\n--b\r\n\r\n\r\n--b\r\n" PART("image/x") "Content-Transfer-Encoding: base64\r\n\r\nw7w=\r\n");
	check(HEAD "\r\n--b\r\n\r\n" U "\r\n--b--",
	      HEAD "\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nw7w=\r\n\r\n--b--");
}

/* The outer boundary counts first: a child cannot hide its parent's (RFC 2046 5.1.2). */
static void parts_within_parts(void **state UNUSED)
{
	check(HEAD "\r\n--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n" PART(
		      "image/x") "\r\n" U "\r\n--b\r\n" PART("image/y") "\r\n" U "\r\n--b--\r\n",
	      HEAD "\r\n--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n" PART(
		      "image/x") "Content-Transfer-Encoding: base64\r\n\r\nw7w=\r\n\r\n--b\r\n" PART("image/y") "Conten"
	                                                                                                        "t-"
	                                                                                                        "Transf"
	                                                                                                        "er-"
	                                                                                                        "Encodi"
	                                                                                                        "ng: "
	                                                                                                        "base64"
	                                                                                                        "\r\n\r"
	                                                                                                        "\nw7w="
	                                                                                                        "\r\n\r"
	                                                                                                        "\n--b-"
	                                                                                                        "-\r"
	                                                                                                        "\n");
}

static void messages_within_messages(void **state UNUSED)
{
	check(MIME PART("message/rfc822") "Content-Transfer-Encoding: 8bit\r\n\r\n" MIME PART("image/x") "\r\n" U,
	      MIME PART("message/rfc822") "\r\n" MIME PART(
		      "image/x") "Content-Transfer-Encoding: base64\r\n\r\nw7w=\r\n");
	check(MIME "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: x\r\n\r\n" U U
	           "\r\n--d--\r\n",
	      MIME "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: x\r\n" MIME
	           "Content-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: "
	           "base64\r\n\r\nw7zDvA==\r\n\r\n--d--\r\n");
	check(MIME PART("message/global") "\r\nSubject: " U "\r\n\r\n",
	      MIME PART("message/global") "Content-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogw7wNCg0K\r\n");
}

static void what_cannot_be_converted(void **state UNUSED)
{
	static const char *const bad[] = {
		"Subject: " U "\r\n\r\nx\r\n",
		HEAD "\r\n--b\r\nSubject: " U "\r\n\r\n" U "\r\n--b--\r\n",
		MIME PART("multipart/mixed") "\r\n" U,
		HEAD "\r\n" U,
		HEAD "Content-Transfer-Encoding: base64\r\n\r\n--b\r\n\r\n" U "\r\n--b--\r\n",
		MIME "Content-Transfer-Encoding: base64\r\n\r\n" U,
		MIME "Content-Transfer-Encoding: quoted-printable\r\n\r\n" U,
		MIME "Content-Transfer-Encoding: x-uuencode\r\n\r\n" U,
		MIME PART("message/rfc822") "\r\nSubject: " U "\r\n\r\n",
		MIME PART("message/rfc822") "Content-Transfer-Encoding: base64\r\n\r\n" U,
		MIME PART("message/partial") "\r\n" U,
		MIME PART("message/delivery-status") "\r\n" U,
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_fails(str_from(bad[i]), E_SYNTAX);
}

#define SIGNED "Content-Type: multipart/signed; boundary=s; protocol=\"x/y\"\r\n"

static void signed_parts_stay(void **state UNUSED)
{
	check_fails(STR(MIME SIGNED "\r\n--s\r\n\r\n" U "\r\n--s--\r\n"), E_DENIED);
	check_fails(STR(HEAD "\r\n--b\r\n" SIGNED "\r\n--s\r\n\r\n" U "\r\n--s--\r\n--b--\r\n"), E_DENIED);
	check(HEAD "\r\n--b\r\n" SIGNED "\r\n--s\r\n\r\nASCII\r\n--s--\r\n--b\r\n\r\n" U "\r\n--b--\r\n", HEAD
	      "\r\n--b\r\n" SIGNED
	      "\r\n--s\r\n\r\nASCII\r\n--s--\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nw7w=\r\n\r\n--b--\r\n");
}

static void binary_parts(void **state UNUSED)
{
	CLEANUP(buf_free) struct buf out;

	check_with(HEAD
	           "\r\n--b\r\n" PART("text/plain") "Content-Transfer-Encoding: 8bit\r\n\r\nGr" U "sse\r\n--b\r\n" PART(
			   "image/x") "Content-Transfer-Encoding: binary\r\n\r\na\nb\rc" U "\r\n--b--\r\n",
	           true, true,
	           HEAD
	           "\r\n--b\r\n" PART("text/plain") "Content-Transfer-Encoding: 8bit\r\n\r\nGr" U "sse\r\n--b\r\n" PART(
			   "image/x") "Content-Transfer-Encoding: base64\r\n\r\nYQpiDWPDvA==\r\n\r\n--b--\r\n");
	/* A LF is no line end: what looks like a delimiter behind it is content. */
	check_with(HEAD "\r\n--b\r\n" PART("image/x") "\r\na\n--b--\r\nb\r\n--b--\r\n", true, true,
	           HEAD "\r\n--b\r\n" PART(
			   "image/x") "Content-Transfer-Encoding: base64\r\n\r\nYQotLWItLQ0KYg==\r\n\r\n--b--\r\n");
	assert_int_equal(convert(STR(MIME "\r\na\0b"), true, true, &out), OK);
	assert_str(buf_str(&out), MIME "Content-Transfer-Encoding: base64\r\n\r\nYQBi\r\n");
}

static void long_lines(void **state UNUSED)
{
	char text[1200] = MIME "\r\n";
	CLEANUP(buf_free) struct buf out, same;

	memset(text + strlen(text), 'x', 1000);
	assert_int_equal(convert(str_from(text), true, false, &same), OK);
	assert_str(buf_str(&same), text);
	assert_int_equal(convert(str_from(text), true, true, &out), OK);
	assert_true(str_starts(buf_str(&out), STR(MIME "Content-Transfer-Encoding: quoted-printable\r\n\r\nxxx")));
}

static void deep_messages(void **state UNUSED)
{
	for (int depth = 10; depth <= 1000; depth *= 10) {
		BUF(text, 1 << 20);

		for (int i = 0; i < depth; i++)
			buf_printf(&text, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
		buf_puts(&text, "Content-Type: image/x\r\n\r\n" U);
		check_fails(buf_str(&text), depth == 10 ? OK : E_LIMIT);
	}
}

/* Nothing but tiny parts: each grows by its new field. */
static void many_parts(void **state UNUSED)
{
	BUF(text, 8 << 20);

	buf_puts(&text, HEAD "\r\n");
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "--b\r\n\r\n" U "\r\n");
	check_fails(buf_str(&text), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_ascii_stays),
		cmocka_unit_test(text_becomes_quoted_printable),
		cmocka_unit_test(text_that_is_not_read_anyway_becomes_base64),
		cmocka_unit_test(others_become_base64),
		cmocka_unit_test(what_was_no_mime_becomes_it),
		cmocka_unit_test(parts),
		cmocka_unit_test(parts_that_are_empty_or_do_not_end),
		cmocka_unit_test(parts_within_parts),
		cmocka_unit_test(messages_within_messages),
		cmocka_unit_test(what_cannot_be_converted),
		cmocka_unit_test(signed_parts_stay),
		cmocka_unit_test(binary_parts),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(deep_messages),
		cmocka_unit_test(many_parts),
	};

	return cmocka_run_group_tests_name("convert", tests, NULL, NULL);
}
