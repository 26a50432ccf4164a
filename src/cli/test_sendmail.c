/* SPDX-License-Identifier: ISC */
#include "cli/sendmail.h"

#include <stdlib.h>

#include "base/test.h"

static struct sendmail_options options(size_t n, const char *const *words)
{
	static char *argv[32];
	struct sendmail_options o;

	argv[0] = (char *)(uintptr_t) "sendmail";
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = (char *)(uintptr_t)words[i];
	argv[n + 1] = NULL;
	assert_true(sendmail_options_parse((int)n + 1, argv, &o));
	return o;
}
#define OPTIONS(...) options(ARRAY_LEN(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__})

static void test_flags(void **state UNUSED)
{
	struct sendmail_options o = OPTIONS("-oi", "-fbob@example.net", "-F", "Bob", "-N", "success,failure", "-R", "full", "-V", "env", "--", "alice", "-x");

	assert_int_equal(o.mode, SENDMAIL_DELIVER);
	assert_true(o.dots);
	assert_false(o.of_header);
	assert_string_equal(o.sender, "bob@example.net");
	assert_string_equal(o.name, "Bob");
	assert_string_equal(o.envid, "env");
	assert_int_equal(o.notify, DSN_SUCCESS | DSN_FAILURE);
	assert_int_equal(o.ret, DSN_RET_FULL);
	assert_int_equal(o.recipients_n, 2);
	/* As cron calls it, and as others do. */
	o = OPTIONS("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root");
	assert_string_equal(o.name, "CronDaemon");
	assert_int_equal(o.recipients_n, 1);
	o = OPTIONS("-t", "-oi", "-oem", "-odb", "-m", "-n", "-U", "-L", "tag", "-h", "3", "-O", "smtputf8=yes", "-O", "requiretls=yes", "-Am", "-G");
	assert_true(o.of_header && o.utf8 && o.require_tls);
	assert_int_equal(o.recipients_n, 0);
	assert_int_equal(OPTIONS("-v", "x").notify, DSN_SUCCESS | DSN_FAILURE | DSN_DELAY);
	assert_int_equal(OPTIONS("-v", "-N", "never", "x").notify, DSN_NEVER);
}

static void test_modes(void **state UNUSED)
{
	assert_int_equal(OPTIONS("-bs").mode, SENDMAIL_SMTP);
	assert_int_equal(OPTIONS("-bp").mode, SENDMAIL_QUEUE_LIST);
	assert_int_equal(OPTIONS("-bi").mode, SENDMAIL_ALIASES);
	assert_int_equal(OPTIONS("-I").mode, SENDMAIL_ALIASES);
	assert_int_equal(OPTIONS("-bv", "x").mode, SENDMAIL_VERIFY);
	assert_int_equal(OPTIONS("-q").mode, SENDMAIL_QUEUE_RUN);
	assert_string_equal(OPTIONS("-qIabc").queue_id, "abc");
	assert_string_equal(OPTIONS("-qRexample.net").queue_site, "example.net");
	assert_int_equal(OPTIONS("-q10m", "-bd").mode, SENDMAIL_DAEMON);
	assert_string_equal(OPTIONS("-f", "<>", "x").sender, "");
	assert_true(sendmail_is_name("/usr/sbin/sendmail"));
	assert_true(sendmail_is_name("newaliases"));
	assert_false(sendmail_is_name("/usr/bin/pombo"));
}

static void test_queue_without_a_name(void **state UNUSED)
{
	static const char *const flags[] = {"-qI", "-qR", "-qx"};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		char *argv[] = {(char *)(uintptr_t) "sendmail", (char *)(uintptr_t)flags[i], (char *)(uintptr_t) "x", NULL};
		struct sendmail_options o;

		assert_false(sendmail_options_parse(3, argv, &o));
	}
}

static struct sendmail_message make(const struct sendmail_options *o, const char *input, struct arena *a)
{
	struct sendmail_message m = {.text = BUF_INIT(1 << 20)};

	assert_int_equal(sendmail_message_make(o, str_from(input), &m, a), OK);
	return m;
}

static bool holds(const struct sendmail_message *m, const char *text)
{
	return str_contains(buf_str(&m->text), str_from(text));
}

static void test_message(void **state UNUSED)
{
	struct sendmail_options o = OPTIONS("-f", "me@example.org", "-F", "Me", "alice@example.net,bob@example.net", "alice@example.net");
	ARENA(a, 1 << 20);
	struct sendmail_message m = make(&o, "Subject: hi\n\nline\n.\nlost\n", &a);

	assert_int_equal(m.rcpts_n, 2);
	assert_str(buf_str(&m.text), "Subject: hi\r\nFrom: Me <me@example.org>\r\n\r\nline\r\n");
	buf_free(&m.text);
	o.dots = true;
	m = make(&o, "From: a@b.example\n\nline\n.\nkept", &a);
	assert_str(buf_str(&m.text), "From: a@b.example\r\n\r\nline\r\n.\r\nkept\r\n");
	buf_free(&m.text);
	m = make(&o, "no header at all\n", &a);
	assert_true(holds(&m, "From: Me <me@example.org>\r\n\r\nno header at all\r\n"));
	buf_free(&m.text);
}

/* Programs that put what others wrote into a header keep LF out of it, and forget CR. */
static void test_lone_cr(void **state UNUSED)
{
	struct sendmail_options o = OPTIONS("-i", "alice@example.net");
	ARENA(a, 1 << 20);
	struct sendmail_message m = make(&o, "Subject: a\rBcc: x@example.com\r\n b\r\nTo: c@example.net\rX: y\nX-Last: d\r\r\n\r\ne\rf\n", &a);

	assert_true(str_starts(buf_str(&m.text), STR("Subject: a Bcc: x@example.com\r\n b\r\nTo: c@example.net X: y\r\nX-Last: d \r\nFrom: ")));
	assert_true(str_ends(buf_str(&m.text), STR("\r\n\r\ne\r\nf\r\n")));
	assert_int_equal(m.rcpts_n, 1);
	buf_free(&m.text);
}

static void test_recipients_of_header(void **state UNUSED)
{
	struct sendmail_options o = OPTIONS("-t", "-i");
	struct sendmail_message m = {.text = BUF_INIT(1 << 20)};
	ARENA(a, 1 << 20);

	assert_int_equal(sendmail_message_make(&o, STR("From: root (Cron)\nTo: alice@example.net,\n root\nBCC: hidden@example.net\nSubject: x\n\ny\n"), &m, &a),
	                 OK);
	assert_int_equal(m.rcpts_n, 3);
	assert_str(m.rcpts[0].address, "alice@example.net");
	assert_true(str_starts(m.rcpts[1].address, STR("root@")));
	assert_str(m.rcpts[2].address, "hidden@example.net");
	assert_false(holds(&m, "hidden"));
	assert_true(holds(&m, "From: root@"));
	buf_reset(&m.text);
	m.rcpts_n = 0;
	assert_int_equal(sendmail_message_make(&o, STR("Subject: x\n\n"), &m, &a), E_NOT_FOUND);
	buf_reset(&m.text);
	assert_int_equal(sendmail_message_make(&o, STR("To: two words\n\n"), &m, &a), E_SYNTAX);
	buf_free(&m.text);
}

/* As Postfix: those of the command line get it too. */
static void test_recipients_of_header_and_arguments(void **state UNUSED)
{
	struct sendmail_options o = OPTIONS("-t", "-i", "carol@example.net");
	ARENA(a, 1 << 20);
	struct sendmail_message m = make(&o, "From: x@example.net\nTo: alice@example.net\n\ny\n", &a);

	assert_int_equal(m.rcpts_n, 2);
	assert_str(m.rcpts[0].address, "carol@example.net");
	assert_str(m.rcpts[1].address, "alice@example.net");
	buf_free(&m.text);
}

static void test_resent(void **state UNUSED)
{
	struct sendmail_options o = OPTIONS("-t", "-i");
	ARENA(a, 1 << 20);
	struct sendmail_message m = make(&o, "Resent-From: root\nResent-To: carol@example.net\nResent-Bcc: dave@example.net\nFrom: x@example.net\n"
	                                     "To: alice@example.net\nBcc: bob@example.net\n\ny\n", &a);

	assert_int_equal(m.rcpts_n, 2);
	assert_str(m.rcpts[0].address, "carol@example.net");
	assert_str(m.rcpts[1].address, "dave@example.net");
	assert_true(holds(&m, "Resent-From: root@") && holds(&m, "To: alice@example.net"));
	assert_false(holds(&m, "dave") || holds(&m, "bob"));
	buf_free(&m.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_queue_without_a_name),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_lone_cr),
		cmocka_unit_test(test_recipients_of_header),
		cmocka_unit_test(test_recipients_of_header_and_arguments),
		cmocka_unit_test(test_resent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
