/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "mail/header.h"
#include "mail/report.h"

#define MESSAGE \
	"Received: from a\r\nMessage-ID: <1@example.org>\r\nFrom: alice@example.org\r\nSubject: hi\r\n\r\nbody\r\n"
#define HOST STR("mx.example.com[192.0.2.1]:25")

static struct report_rcpt bob(enum report_action action)
{
	return (struct report_rcpt){.address = STR("bob@example.com"),
	                            .orcpt = STR("rfc822;Bob@example.com"),
	                            .action = action,
	                            .status = action == REPORT_FAILED ? STR("5.1.1") : STR("4.4.1"),
	                            .reply = STR("550 5.1.1 <bob@example.com> unknown here"),
	                            .host = HOST,
	                            .at = 86400000000LL,
	                            .retry_until = 2 * 86400000000LL};
}

static struct report report_of(const struct report_rcpt *rcpts, size_t n)
{
	return (struct report){.hostname = STR("mail.example.org"),
	                       .id = 1234,
	                       .to = STR("alice@example.org"),
	                       .from = STR("postmaster@example.org"),
	                       .envid = STR("QQ314159"),
	                       .message_id = 1233,
	                       .received = 3600000000LL,
	                       .message = STR(MESSAGE),
	                       .quote_max = 1 << 20,
	                       .rcpts = rcpts,
	                       .rcpts_n = n};
}

/* What no report may hold, whatever it is about. */
static void assert_well_formed(str text)
{
	while (text.n > 0) {
		size_t lf = str_find(text, '\n');
		if (lf == text.n || lf == 0 || text.p[lf - 1] != '\r' || lf > 999 || str_find(text, '\r') != lf - 1 ||
		    str_find(str_take(text, lf), '\0') < lf)
			fail_msg("a bad line: " STR_FMT, STR_ARG(str_take(text, lf)));
		text = str_drop(text, lf + 1);
	}
}

static str print(struct arena *a, const struct report *r)
{
	BUF(out, 1 << 20);

	report_print(&out, r, a);
	assert_false(out.full);
	assert_well_formed(buf_str(&out));
	return arena_str(a, buf_str(&out));
}

static str print_one(struct arena *a, const struct report_rcpt *rcpt)
{
	struct report r = report_of(rcpt, 1);

	return print(a, &r);
}

static void assert_has(str text, const char *part)
{
	if (!str_contains(text, str_from(part)))
		fail_msg("\"%s\" is not in " STR_FMT, part, STR_ARG(text));
}

static void assert_lacks(str text, const char *part)
{
	if (str_contains(text, str_from(part)))
		fail_msg("\"%s\" is in " STR_FMT, part, STR_ARG(text));
}

/* --- what is written --- */

static void test_failure(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);
	str text = print_one(&a, &rcpt);

	assert_true(
		str_starts(text, STR("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"
	                             "From: Mail Delivery System <postmaster@example.org>\r\n"
	                             "To: <alice@example.org>\r\n"
	                             "Subject: Not delivered: your message to bob@example.com\r\n"
	                             "Message-ID: <16J@mail.example.org>\r\n"
	                             "In-Reply-To: <1@example.org>\r\nReferences: <1@example.org>\r\n"
	                             "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	                             "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"")));
	assert_has(text, "\r\nContent-Transfer-Encoding: 7bit\r\n\r\n--=_");
	assert_has(text,
	           "Your message of Thu, 1 Jan 1970 01:00:00 +0000\r\ncould not be delivered to:\r\n\r\n"
	           "  bob@example.com\r\n    There is no such mailbox.\r\n"
	           "    The server mx.example.com[192.0.2.1]:25 said:\r\n"
	           "      550 5.1.1 <bob@example.com> unknown here\r\n    Check the address for a slip of the pen");
	assert_has(text, "write to postmaster@example.org and name the message 16H.");
	assert_has(text, "\r\n\r\nReporting-MTA: dns; mail.example.org\r\nOriginal-Envelope-Id: QQ314159\r\n"
	                 "Arrival-Date: Thu, 1 Jan 1970 01:00:00 +0000\r\n\r\n"
	                 "Original-Recipient: rfc822; Bob@example.com\r\nFinal-Recipient: rfc822; bob@example.com\r\n"
	                 "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.com\r\n"
	                 "Diagnostic-Code: smtp; 550 5.1.1 <bob@example.com> unknown here\r\n"
	                 "Last-Attempt-Date: Fri, 2 Jan 1970 00:00:00 +0000\r\n\r\n--=_");
	assert_has(text, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n"
	                 "Content-Description: The message\r\n\r\n" MESSAGE "\r\n--=_");
	assert_true(str_ends(text, STR("--\r\n")));
}

static void test_delay(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_DELAYED);
	str text = print_one(&a, &rcpt);

	assert_has(text, "Subject: Delayed: your message to bob@example.com\r\n");
	assert_has(text, "It is tried until Sat, 3 Jan 1970 00:00:00 +0000.\r\n");
	assert_has(text, "Action: delayed\r\nStatus: 4.4.1\r\n");
	assert_has(text, "\r\nWill-Retry-Until: Sat, 3 Jan 1970 00:00:00 +0000\r\n");
	assert_has(text, "Content-Type: text/rfc822-headers\r\n");
	assert_has(text, "Subject: hi\r\n\r\n--=_");
	assert_lacks(text, "body");
}

static void test_success(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpts[] = {bob(REPORT_RELAYED), bob(REPORT_DELIVERED)};

	rcpts[0].status = STR("2.0.0");
	rcpts[1].status = STR("nonsense");
	struct report r = report_of(rcpts, 2);
	str text = print(&a, &r);
	assert_has(text, "Subject: Delivered: your message to bob@example.com\r\n");
	assert_has(text, "was handed on, as far as this server can follow it, for:\r\n");
	assert_has(text, "Action: relayed\r\nStatus: 2.0.0\r\n");
	assert_has(text, "Action: delivered\r\nStatus: 2.0.0\r\n");
	assert_lacks(text, "body");
}

static void test_several_recipients(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpts[] = {bob(REPORT_DELAYED), bob(REPORT_FAILED), bob(REPORT_FAILED)};
	struct report r = report_of(rcpts, 3);

	assert_has(print(&a, &r), "Subject: Not delivered: your message to 2 recipients\r\n");
}

/* RFC 3461 4.3, RFC 8689 5 */
static void test_what_is_quoted(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);
	struct report r = report_of(&rcpt, 1);

	r.ret = DSN_RET_FULL;
	assert_has(print(&a, &r), "body");
	r.flags = MESSAGE_REQUIRE_TLS;
	assert_lacks(print(&a, &r), "body");
	r.flags = 0;
	r.ret = DSN_RET_HDRS;
	assert_lacks(print(&a, &r), "body");
	r.ret = DSN_RET_NONE;
	r.quote_max = r.message.n - 1;
	assert_lacks(print(&a, &r), "body");
	assert_has(print(&a, &r), "Subject: hi\r\n");
	r.quote_max = 40;
	assert_has(print(&a, &r), "Received: from a\r\n\r\n--");
	r.quote_max = 0;
	assert_lacks(print(&a, &r), "Received: from a\r\n");
}

/* What a remote server, or an alias here, made of it is not what the sender has written to (RFC 3464 2.3.2). */
static void test_an_alias(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);

	rcpt.original = STR("list@example.org");
	str text = print_one(&a, &rcpt);
	assert_has(text, "  list@example.org\r\n  (which leads to bob@example.com)\r\n");
	assert_has(text, "Final-Recipient: rfc822; list@example.org\r\n");
}

static void test_our_own_words(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);

	rcpt.host = STR_NONE;
	rcpt.reply = STR("The server could not be reached for 5 days");
	rcpt.status = STR("5.4.7");
	str text = print_one(&a, &rcpt);
	assert_has(text, "    The server could not be reached for 5 days\r\n    Send it again");
	assert_has(text, "Diagnostic-Code: x-pombo; The server could not be reached for 5 days\r\n");
	assert_lacks(text, "Remote-MTA");
	rcpt.reply = STR_NONE;
	rcpt.explanation = STR("The administrator has taken it from the queue.");
	text = print_one(&a, &rcpt);
	assert_has(text, "    The administrator has taken it from the queue.\r\n");
	assert_lacks(text, "Diagnostic-Code");
}

/* --- RFC 6533 --- */

static void test_international_addresses(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);

	rcpt.address = STR("j\xc3\xbcrgen@example.com");
	rcpt.orcpt = STR("utf-8;j\\x{FC}rgen\\x{1F600}@example.com");
	rcpt.reply = STR("550 kein Postfach f\xc3\xbcr j\xc3\xbcrgen");
	str text = print_one(&a, &rcpt);
	assert_has(text, "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n");
	assert_has(text, "Final-Recipient: utf-8; j\xc3\xbcrgen@example.com\r\n");
	assert_has(text, "Original-Recipient: utf-8; j\xc3\xbcrgen\xf0\x9f\x98\x80@example.com\r\n");
	assert_has(text, "Diagnostic-Code: smtp; 550 kein Postfach f?r j?rgen\r\n");
	assert_has(text, "      550 kein Postfach f\xc3\xbcr j\xc3\xbcrgen\r\n");
	assert_has(text, "Subject: Not delivered: your message\r\n");
	assert_has(text, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n");
}

static void test_unitext_stays_where_all_is_ascii(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);

	rcpt.orcpt = STR("utf-8;j\\x{FC}rgen@example.com");
	str text = print_one(&a, &rcpt);
	assert_has(text, "Content-Type: message/delivery-status\r\n");
	assert_has(text, "Original-Recipient: utf-8; j\\x{FC}rgen@example.com\r\n");
}

static void test_malformed_unitext_is_copied(void **state UNUSED)
{
	static const char *const bad[] = {"\\x{D800}", "\\x{110000}",  "\\x{1}",  "\\x{FC",
	                                  "\\y",       "\\x{0000041}", "\\x{0A}", "\\x{}"};
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);

	rcpt.address = STR("j\xc3\xbcrgen@example.com");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		BUF(b, 100);

		buf_printf(&b, "utf-8;a%s@x", bad[i]);
		rcpt.orcpt = buf_str(&b);
		BUF(want, 100);
		buf_printf(&want, "Original-Recipient: utf-8; a%s@x\r\n%c", bad[i], 0);
		assert_has(print_one(&a, &rcpt), want.p);
	}
}

static void test_international_headers(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);
	struct report r = report_of(&rcpt, 1);

	r.message = STR("Subject: gr\xc3\xbc\xc3\x9f dich\r\n\r\nbody\r\n");
	assert_has(print(&a, &r), "Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n");
	r.ret = DSN_RET_HDRS;
	assert_has(print(&a, &r), "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n");
	r.message = STR("Subject: gr\xfc\xdf\r\n\r\nb\xf6"
	                "dy\r\n");
	assert_has(print(&a, &r),
	           "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n");
	assert_has(print(&a, &r), "Subject: gr=FC=DF\r\n");
	r.ret = DSN_RET_FULL;
	assert_has(print(&a, &r), "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n");
}

/* --- hostile texts --- */

/* Bad input 42: a reply of several lines, with fields and delimiters in it. */
static void test_hostile_replies(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);
	struct report r = report_of(&rcpt, 1);
	str clean = print(&a, &r);

	rcpt.reply = STR("550-a\r\nAction: delivered\r\n\r\n--=_16J_\r\n550 \x1b[2J\xff\0 \xe2\x80\xae tab\there");
	rcpt.host = STR("evil\r\nX: y[192.0.2.1]");
	rcpt.status = STR("5.1.1\r\nX: y");
	rcpt.orcpt = STR("rfc822;a\r\nX: y");
	rcpt.explanation = STR("a\r\n.\r\nb");
	r.envid = STR("e\r\nX: y");
	r.to = STR("alice\r\nX: y@example.org");
	str text = print(&a, &r);
	assert_lacks(text, "\nX: y");
	assert_lacks(text, "\nAction: delivered");
	assert_lacks(text, "\x1b");
	assert_lacks(text, "\xe2\x80\xae");
	assert_lacks(text, "\n.\r\n");
	assert_has(text, "Diagnostic-Code: smtp; 550-a Action: delivered --=_16J_ 550 [2J? ? tab here\r\n");
	assert_has(text, "Status: 5.0.0\r\n");
	assert_true(clean.n > 0);
}

static void test_endless_replies(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(b, 200 << 10);
	struct report_rcpt rcpt = bob(REPORT_FAILED);

	buf_puts(&b, "550 ");
	while (b.n < 100 << 10)
		buf_puts(&b, "xxxxxxxxxx");
	rcpt.reply = buf_str(&b);
	assert_true(print_one(&a, &rcpt).n < 8000);
	buf_reset(&b);
	buf_puts(&b, "550 ");
	while (b.n < 100 << 10)
		buf_puts(&b, "y \xc3\xbc");
	rcpt.reply = buf_str(&b);
	assert_true(print_one(&a, &rcpt).n < 8000);
}

static void test_long_words_are_folded_at_blanks(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);

	rcpt.reply = STR("550 5.7.1 The message was refused because it looks like one that nobody wants; see "
	                 "https://example.com/why");
	assert_has(print_one(&a, &rcpt), "Diagnostic-Code: smtp; 550 5.7.1 The message was refused because it looks\r\n"
	                                 " like one that nobody wants; see https://example.com/why\r\n");
}

static void assert_headers_only(const char *message, size_t n, const char *want)
{
	ARENA(a, 1 << 22);
	struct report_rcpt rcpt = bob(REPORT_FAILED);
	struct report r = report_of(&rcpt, 1);

	r.message = str_make(message, n);
	str text = print(&a, &r);
	assert_lacks(text, "message/rfc822");
	assert_has(text, want);
}

static void test_messages_that_no_line_can_hold(void **state UNUSED)
{
	BUF(b, 1 << 20);

	assert_headers_only("A: b\r\n\r\nx\ny\r\n", 13, "A: b\r\n");
	assert_headers_only("A: b\r\n\r\nx\ry\r\n", 13, "A: b\r\n");
	assert_headers_only("A: b\r\n\r\nx\0y\r\n", 13, "A: b\r\n");
	assert_headers_only("A: b\0c\r\n\r\nx\r\n", 13, "A: b=00c\r\n");
	assert_headers_only("A: b\n\nx\r\n", 9, "A: b=0A\r\n");
	assert_headers_only("A: b\rc \r\n\r\nx\r\n", 14, "A: b=0Dc=20\r\n");
	buf_puts(&b, "A: ");
	while (b.n < 1100)
		buf_putc(&b, 'x');
	buf_puts(&b, "\r\n\r\n");
	assert_headers_only(b.p, b.n, "xxx=\r\nxxx");
}

static void test_message_without_its_last_line_end(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);
	struct report r = report_of(&rcpt, 1);

	r.message = STR("A: b\r\n\r\nx");
	assert_has(print(&a, &r), "A: b\r\n\r\nx\r\n\r\n--=_");
	r.message = STR("");
	print(&a, &r);
}

static void test_message_ids_that_are_none(void **state UNUSED)
{
	static const char *const bad[] = {"Message-ID: <a b@c>\r\n\r\n", "Message-ID: <>\r\n\r\n",
	                                  "Message-ID: x\r\n\r\n", "Message-ID: <a\r\n b@c>\r\n\r\n",
	                                  "Message-ID: <a@c>\r\n <b@c>\r\n\r\n"};
	ARENA(a, 1 << 20);
	struct report_rcpt rcpt = bob(REPORT_FAILED);
	struct report r = report_of(&rcpt, 1);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		r.message = str_from(bad[i]);
		assert_lacks(print(&a, &r), "In-Reply-To");
	}
}

static void test_no_memory(void **state UNUSED)
{
	ARENA(small, 100);
	ARENA(a, 1 << 20);
	BUF(out, 1 << 20);
	BUF(tiny, 100);
	struct report_rcpt rcpt = bob(REPORT_FAILED);
	struct report r = report_of(&rcpt, 1);

	report_print(&out, &r, &small);
	assert_true(out.full);
	report_print(&tiny, &r, &a);
	assert_true(tiny.full);
}

/* --- what is read --- */

static void test_our_own_is_read(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct report_rcpt rcpts[] = {bob(REPORT_FAILED), bob(REPORT_DELAYED)};
	struct report r = report_of(rcpts, 2);
	struct report_found found;

	assert_int_equal(report_parse(print(&a, &r), &a, &found), OK);
	assert_str(found.envid, "QQ314159");
	assert_str(found.reporting_mta, "mail.example.org");
	assert_str(found.message_id, "<1@example.org>");
	assert_int_equal(found.rcpts_n, 2);
	assert_str(found.rcpts[0].address, "bob@example.com");
	assert_str(found.rcpts[0].orcpt, "rfc822;Bob@example.com");
	assert_int_equal(found.rcpts[0].action, REPORT_FAILED);
	assert_str(found.rcpts[0].status, "5.1.1");
	assert_str(found.rcpts[0].reply, "550 5.1.1 <bob@example.com> unknown here");
	assert_str(found.rcpts[0].host, "mx.example.com");
	assert_int_equal(found.rcpts[1].action, REPORT_DELAYED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_several_recipients),
		cmocka_unit_test(test_what_is_quoted),
		cmocka_unit_test(test_an_alias),
		cmocka_unit_test(test_our_own_words),
		cmocka_unit_test(test_international_addresses),
		cmocka_unit_test(test_unitext_stays_where_all_is_ascii),
		cmocka_unit_test(test_malformed_unitext_is_copied),
		cmocka_unit_test(test_international_headers),
		cmocka_unit_test(test_hostile_replies),
		cmocka_unit_test(test_endless_replies),
		cmocka_unit_test(test_long_words_are_folded_at_blanks),
		cmocka_unit_test(test_messages_that_no_line_can_hold),
		cmocka_unit_test(test_message_without_its_last_line_end),
		cmocka_unit_test(test_message_ids_that_are_none),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_our_own_is_read),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
