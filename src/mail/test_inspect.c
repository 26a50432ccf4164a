/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "mail/inspect.h"

static const struct inspect_options options = {.hops = 5};

static struct inspect_reply inspect(struct arena *a, str message)
{
	struct rcpt rcpts[] = {{.address = STR("bob@example.org")},
	                       {.address = STR("Alice@b\xc3\xbc"
	                                       "cher.example")}};
	struct inspect_request q = {.rcpts = rcpts, .rcpts_n = 2, .body = BODY_OF(message)};
	struct inspect_reply r = {0};

	assert_int_equal(inspect_message(&q, &options, &r, a), OK);
	return r;
}

static void assert_verdict(const char *message, const char *status)
{
	ARENA(a, 1 << 16);
	struct inspect_reply r = inspect(&a, str_from(message));

	if (!str_equal(r.status, str_from(status)))
		fail_msg("%s: got \"" STR_FMT "\"", message, STR_ARG(r.status));
	assert_int_equal(r.code, *status == '\0' ? OK : E_PERM);
	assert_int_equal(r.reply, *status == '\0' ? 0 : 554);
}

static void test_names_the_message(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	struct inspect_reply r =
		inspect(&a, STR("Message-Id:  <1@x> \r\nSubject: on\r\n two lines\r\nSubject: second\r\n\r\nbody"));

	assert_int_equal(r.code, OK);
	assert_str(r.message_id, "<1@x>");
	assert_str(r.subject, "on two lines");
	assert_str(r.headers, "");
}

/* What we put in front ends before it begins. */
static void test_a_text_without_a_header(void **state UNUSED)
{
	ARENA(a, 1 << 16);

	assert_str(inspect(&a, STR("\t; dmarc=pass\r\nFrom: a@b\r\n\r\n")).headers, "\r\n");
	assert_str(inspect(&a, STR("Hello.\r\n")).headers, "\r\n");
	assert_str(inspect(&a, STR("From a@b Sat\r\nHello.\r\n")).headers, "\r\n");
	assert_str(inspect(&a, STR(" \r\nFrom: a@b\r\n\r\n")).headers, "\r\n");
	assert_str(inspect(&a, STR("\t \r\n\r\n")).headers, "\r\n");
	assert_str(inspect(&a, STR("\r\nHello.\r\n")).headers, "");
	assert_str(inspect(&a, STR("")).headers, "");
}

static void test_subject_is_cut_between_characters(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	BUF(b, 10000);

	buf_puts(&b, "Subject: x");
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "\xc3\xbc");
	buf_puts(&b, "\r\n\r\n");
	struct inspect_reply r = inspect(&a, buf_str(&b));
	assert_int_equal(r.subject.n, 255);
	assert_true(str_is_utf8(r.subject));
}

/* More than there is memory for, and for each octet of text a line end. */
static void test_subject_of_many_lines(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	BUF(b, 1 << 20);

	buf_puts(&b, "Subject: x");
	for (int i = 0; i < 100000; i++)
		buf_puts(&b, "\r\n x");
	buf_puts(&b, "\r\n\r\n");
	struct inspect_reply r = inspect(&a, buf_str(&b));
	assert_int_equal(r.subject.n, 256);
	assert_true(str_starts(r.subject, STR("x x x x ")));
}

static void test_texts_are_one_plain_line(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	struct inspect_reply r = inspect(&a, STR("Message-ID: <\x1b[2J\x7f\0@x>\r\nSubject: a\tb\rc\r\n\r\n"));

	assert_str(r.message_id, "<?[2J??@x>");
	assert_str(r.subject, "a?b?c");
}

static void received_times(struct buf *b, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		buf_printf(b, "%s: x\r\n", name);
	buf_puts(b, "\r\nReceived: in the body\r\n");
}

static void test_hops(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	BUF(b, 10000);

	received_times(&b, 5, "Received");
	assert_int_equal(inspect(&a, buf_str(&b)).code, OK);
	buf_reset(&b);
	received_times(&b, 6, "received");
	struct inspect_reply r = inspect(&a, buf_str(&b));
	assert_int_equal(r.code, E_PERM);
	assert_str(r.status, "5.4.6");
	buf_reset(&b);
	received_times(&b, 6, "Delivered-To");
	assert_str(inspect(&a, buf_str(&b)).status, "5.4.6");
}

static void test_delivered_to(void **state UNUSED)
{
	assert_verdict("Delivered-To: bob@example.org\r\n\r\n", "5.4.6");
	assert_verdict("Delivered-To: Bob@EXAMPLE.org\r\n\r\n", "5.4.6");
	assert_verdict("Delivered-To: \"bob\"@example.org\r\n\r\n", "5.4.6");
	assert_verdict("Delivered-To: alice@xn--bcher-kva.example\r\n\r\n", "5.4.6");
	assert_verdict("Delivered-To: bob@example.net\r\n\r\n", "");
	assert_verdict("Delivered-To: list of things\r\n\r\n", "");
}

static void test_broken_header(void **state UNUSED)
{
	assert_verdict("From: a\r\nSubject: b\r\nBad header\r\n\r\nbody\r\n", "5.6.0");
	assert_verdict("From: a\nBad header\n\nbody\n", "5.6.0");
}

static void test_damage_of_the_world_is_let_through(void **state UNUSED)
{
	assert_verdict("", "");
	assert_verdict("\r\n", "");
	assert_verdict("no header at all\r\n\r\nbody\r\n", "");
	assert_verdict("From bob Sat Nov 21 21:38:00 2026\r\nFrom: a\r\n\r\nbody", "");
	assert_verdict("From: a\r\nReferences: <1@x>\r\n<2@x>\r\nTo: b\r\n\r\nbody", "");
	assert_verdict("From: a\r\nquite Delivered-To: b\r\nTo: b\r\n\r\nbody", "");
	assert_verdict("From: a\r\nthe body follows without an empty line\r\n", "");
	assert_verdict("From: a", "");
}

/* RFC 8689 3 */
static void test_tls_required(void **state UNUSED)
{
	ARENA(a, 1 << 16);

	assert_int_equal(inspect(&a, STR("TLS-Required: No\r\n\r\n")).flags, MESSAGE_TLS_OPTIONAL);
	assert_int_equal(inspect(&a, STR("tls-required:\r\n no\r\n\r\n")).flags, MESSAGE_TLS_OPTIONAL);
	assert_int_equal(inspect(&a, STR("TLS-Required: Yes\r\n\r\n")).flags, 0);
	assert_int_equal(inspect(&a, STR("TLS-Required:\r\n\r\nTLS-Required: No\r\n")).flags, 0);
}

/* As many fields as hops, each looked for among all recipients: no more work than their sum. */
static void test_many_recipients(void **state UNUSED)
{
	enum { RCPTS = 20000, HOPS = 5000 };
	ARENA(a, 64 << 20);
	BUF(message, 1 << 20);
	struct rcpt *rcpts = arena_array(&a, RCPTS, sizeof(*rcpts));
	struct inspect_reply r = {0};

	for (int i = 0; i < RCPTS; i++)
		rcpts[i].address = arena_printf(&a, "user%d@example.org", i);
	for (int i = 0; i < HOPS; i++)
		buf_printf(&message, "Delivered-To: other%d@example.org\r\n", i);
	struct inspect_request q = {.rcpts = rcpts, .rcpts_n = RCPTS, .body = BODY_OF(buf_str(&message))};
	assert_int_equal(inspect_message(&q, &(struct inspect_options){.hops = HOPS}, &r, &a), OK);
	assert_int_equal(r.code, OK);
	buf_puts(&message, "Delivered-To: USER19999@Example.org\r\n");
	q.body = BODY_OF(buf_str(&message));
	assert_int_equal(inspect_message(&q, &(struct inspect_options){.hops = HOPS + 1}, &r, &a), OK);
	assert_str(r.status, "5.4.6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_the_message),
		cmocka_unit_test(test_a_text_without_a_header),
		cmocka_unit_test(test_subject_is_cut_between_characters),
		cmocka_unit_test(test_subject_of_many_lines),
		cmocka_unit_test(test_texts_are_one_plain_line),
		cmocka_unit_test(test_hops),
		cmocka_unit_test(test_delivered_to),
		cmocka_unit_test(test_tls_required),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_broken_header),
		cmocka_unit_test(test_damage_of_the_world_is_let_through),
	};

	return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
