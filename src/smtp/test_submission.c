/* SPDX-License-Identifier: ISC */
/* Sessions of those who send: submission, local programs, mail for other servers, and what became of it. */
#include "smtp/talk.h"

/* --- submission --- */

#define PLAIN "AGFsaWNlAHNlY3JldA==" /* alice, secret */
#define LOG_IN                                         \
	HELLO,                                         \
	{                                              \
		STR("AUTH PLAIN " PLAIN "\r\n"), "235" \
	}
#define FROM     "MAIL FROM:<alice@example.org>\r\n"
#define ORIGINAL "From: alice@example.org\r\nBcc: x\r\n\r\nbody\r\n"

static struct talk submitted(const struct step *steps)
{
	struct talk t = talk_of(steps);

	t.submission = true;
	run(&t, 1);
	return t;
}

static void submit(const struct step *steps)
{
	struct talk t = submitted(steps);

	talk_free(&t);
}

static void test_submission(void **state UNUSED)
{
	struct talk t = submitted(STEPS(LOG_IN, {STR(FROM "RCPT TO:<u@example.org>\r\nDATA\r\n"), "250 250 354"},
	                                {STR(ORIGINAL ".\r\n"), "250"}, {STR("QUIT\r\n"), "221 closed"}));

	assert_int_equal(t.fake.messages, 1);
	assert_int_equal(t.fake.account, FAKE_ACCOUNT);
	assert_int_equal(t.fake.flags, MESSAGE_ALL_OR_NONE | MESSAGE_SUBMISSION);
	assert_contains(&t.fake.origin, "ESMTPA");
	assert_true(str_starts(buf_str(&t.fake.headers), STR("Received: by mx.example.org with ESMTPA id 16J")));
	assert_contains(&t.fake.headers, "\r\nMessage-ID: <16J@mx.example.org>\r\n");
	assert_int_equal(t.fake.session_ends, 1);
	talk_free(&t);
}

static void test_who_is_not_logged_in_submits_nothing(void **state UNUSED)
{
	submit(STEPS(HELLO, {STR(FROM), "530"}, {STR("MAIL FROM:<>\r\n"), "530"},
	             {STR("RCPT TO:<u@example.org>\r\n"), "503"}, {STR("AUTH PLAIN AGFsaWNlAHdyb25n\r\n"), "535"},
	             {STR(FROM), "530"}));
}

/* RFC 4954 4 */
static void test_auth(void **state UNUSED)
{
	submit(STEPS({STR("AUTH PLAIN " PLAIN "\r\n"), "503"}, HELLO, {STR("AUTH\r\n"), "501"},
	             {STR("AUTH NONSENSE\r\n"), "504"}, {STR("AUTH PLAIN a b\r\n"), "501"},
	             {STR("auth plain\r\n"), "334"}, {STR("*\r\n"), "501"}, {STR("AUTH PLAIN\r\n"), "334"},
	             {STR("not base64!\r\n"), "501"}, {STR("AUTH PLAIN AGFs\tbGljZQ==\r\n"), "501"},
	             {STR("AUTH PLAIN =\r\n"), "535"}, {STR("AUTH PLAIN\r\n"), "334"}, {STR(PLAIN "\r\n"), "235"},
	             {STR("AUTH PLAIN\r\n"), "503"}, {STR("EHLO again\r\n"), "250"}, {STR("AUTH PLAIN\r\n"), "503"},
	             {STR(FROM), "250"}, {STR("AUTH PLAIN\r\n"), "503"}, {STR("RSET\r\n"), "250"}));
}

static void test_failed_logins_end_the_session(void **state UNUSED)
{
	struct talk t = talk_of(
		STEPS(HELLO, {STR("AUTH PLAIN AA==\r\nAUTH PLAIN AA==\r\nAUTH PLAIN AA==\r\n"), "535 535 421 closed"}));

	t.submission = true;
	t.config.limits.errors = 2;
	run(&t, 1);
	assert_int_equal(t.fake.auths, 2);
	talk_free(&t);
	t = talk_of(STEPS(HELLO, {STR("AUTH PLAIN AA==\r\nAUTH PLAIN AA==\r\n"), "454 454 421 closed"}));
	t.submission = t.fake.keys_away = true;
	t.config.limits.errors = 2;
	run(&t, 1);
	talk_free(&t);
}

/* A password that comes without TLS is not looked at, and none is asked for. */
static void test_no_auth_without_tls(void **state UNUSED)
{
	struct talk t = talk_of(STEPS(HELLO, {STR("AUTH PLAIN " PLAIN "\r\n"), "538"}, {STR(FROM), "530"}));

	t.submission = t.remote = true;
	run(&t, 1);
	assert_int_equal(t.fake.auths, 0);
	assert_false(str_contains(buf_str(&t.text), STR("AUTH PLAIN")));
	talk_free(&t);
}

static void test_no_auth_on_other_services(void **state UNUSED)
{
	struct talk t = played(
		STEPS(HELLO, {STR("AUTH PLAIN " PLAIN "\r\n"), "502"}, {STR("MAIL FROM:<a@x> AUTH=<>\r\n"), "555"}));

	assert_int_equal(t.fake.auths, 0);
	assert_false(str_contains(buf_str(&t.text), STR("250-AUTH")));
	talk_free(&t);
}

static void say_long(struct buf *b, const char *head, size_t n)
{
	buf_puts(b, head);
	while (b->n < n)
		buf_putc(b, 'A');
	buf_puts(b, "\r\n");
}

static void test_long_responses(void **state UNUSED)
{
	BUF(fits, 20000);
	BUF(over, 20000);
	BUF(other, 20000);

	say_long(&fits, "AUTH PLAIN ", 12287);
	say_long(&over, "", 12289);
	say_long(&other, "NOOP ", 3000);
	submit(STEPS(HELLO, {buf_str(&fits), "535"}, {STR("AUTH PLAIN\r\n"), "334"}, {buf_str(&over), "500"},
	             {buf_str(&other), "500"}, {STR("NOOP\r\n"), "250"}));
}

/* RFC 6409 6.1 */
static void test_whom_a_login_may_write_as(void **state UNUSED)
{
	struct talk t = submitted(STEPS(
		LOG_IN, {STR("MAIL FROM:<carol@example.org>\r\nRCPT TO:<u@example.org>\r\nRSET\r\n"), "250 550 250"},
		{STR("MAIL FROM:<> AUTH=<>\r\n"), "250"}, {STR("RCPT TO:<u@example.org>\r\nDATA\r\n"), "250 354"},
		{STR(ORIGINAL ".\r\n"), "250"}, {STR(FROM "RCPT TO:<u@example.org>\r\nDATA\r\n"), "250 250 354"},
		{STR("From: alice@example.org\r\nSender: carol@example.org\r\n\r\n.\r\n"), "550"},
		{STR("MAIL FROM:<alice+x@example.org>\r\nRCPT TO:<u@example.org>\r\nDATA\r\n"), "250 250 354"},
		{STR("From: a@example.org\r\nFrom: alice@example.org\r\n\r\n.\r\n"), "550"}));

	assert_int_equal(t.fake.messages, 1);
	assert_contains(&t.text, "550 5.7.1 write as alice@example.org\r\n");
	talk_free(&t);
}

/* --- other servers --- */

static void test_who_asks(void **state UNUSED)
{
	struct talk t = submitted(STEPS(LOG_IN, {STR(FROM "RCPT TO:<u@example.com>\r\n"), "250 250"}));

	assert_str(buf_str(&t.fake.asker), "s1 7 127.0.0.1 0");
	talk_free(&t);
	t = played(STEPS(HELLO, {STR("MAIL FROM:<a@x>\r\nRCPT TO:<u@example.com>\r\n"), "250 550"}));
	assert_str(buf_str(&t.fake.asker), "s1 0 192.0.2.1 0");
	assert_contains(&t.text, "550 5.7.1 No relaying\r\n");
	talk_free(&t);
}

/* RFC 2033 5: LMTP is the last hop, whoever speaks it. */
static void test_lmtp_does_not_relay(void **state UNUSED)
{
	struct talk t =
		talk_of(STEPS({STR("LHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<u@example.com>\r\n"), "250 250 550"}));

	t.lmtp = true;
	run(&t, 1);
	assert_str(buf_str(&t.fake.asker), "s1 0  0");
	talk_free(&t);
}

static void test_servers_behind_this_one_are_asked(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO,
	                             {STR("MAIL FROM:<a@x>\r\nRCPT TO:<u@inner.example>\r\nRCPT TO:<bad>\r\nRCPT "
	                                  "TO:<nobody@inner.example>\r\n"
	                                  "RCPT TO:<u@example.org>\r\nDATA\r\n"),
	                              "250 250 501 550 250 354"},
	                             {STR(MESSAGE ".\r\n"), "250"}));

	assert_int_equal(t.fake.callouts, 2);
	assert_contains(&t.text, "550 5.1.1 The inner server knows nobody of that name\r\n");
	assert_str(buf_str(&t.fake.rcpts), "u@inner.example  0\nu@example.org  0\n");
	talk_free(&t);
}

/* When one cannot be asked, the others of the batch are not waited for. */
static void test_servers_behind_this_one_are_away(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO,
	                             {STR("MAIL FROM:<a@x>\r\nRCPT TO:<dead@inner.example>\r\nRCPT "
	                                  "TO:<u@inner.example>\r\nRCPT TO:<u@example.org>\r\n"),
	                              "250 451 451 250"},
	                             {STR("RCPT TO:<u@inner.example>\r\n"), "250"}));

	assert_int_equal(t.fake.callouts, 2);
	assert_contains(&t.text, "451 4.4.1 The server that has this mailbox cannot be asked at present");
	talk_free(&t);
}

/* --- what a submission may ask for --- */

static void test_extensions_of_submission(void **state UNUSED)
{
	struct talk t = submitted(STEPS(HELLO));
	str text = buf_str(&t.text);
	size_t at = (size_t)((const char *)memmem(text.p, text.n, "250-FUTURERELEASE", 17) - text.p);
	str line = str_take(str_drop(text, at), str_find(str_drop(text, at), '\r'));

	assert_true(str_starts(line, STR("250-FUTURERELEASE 2592000 ")) && str_ends(line, STR("Z")));
	assert_int_equal(line.n, sizeof("250-FUTURERELEASE 2592000 2026-11-21T21:38:00Z") - 1);
	assert_contains(&t.text, "\r\n250-MT-PRIORITY\r\n250-XFATE\r\n250-DELIVERBY\r\n250-AUTH ");
	assert_false(str_contains(text, STR("REQUIRETLS"))); /* RFC 8689 2: under TLS */
	talk_free(&t);
}

static void test_what_is_asked_for_is_handed_on(void **state UNUSED)
{
	struct talk t = submitted(STEPS(LOG_IN,
	                                {STR("MAIL FROM:<alice@example.org> HOLDFOR=10 BY=20;N MT-PRIORITY=3\r\nRCPT "
	                                     "TO:<u@example.com>\r\nDATA\r\n"),
	                                 "250 250 354"},
	                                {STR(ORIGINAL ".\r\n"), "250"}));

	assert_int_equal(t.fake.deliver_by - t.fake.hold_until, 10000000);
	assert_int_equal(t.fake.by_mode, BY_NOTIFY);
	assert_int_equal(t.fake.priority, 13);
	talk_free(&t);
}

static void test_what_is_not_for_everybody(void **state UNUSED)
{
	check(STEPS(HELLO,
	            {STR("MAIL FROM:<a@x> HOLDFOR=10\r\nMAIL FROM:<a@x> BY=10;N\r\nMAIL FROM:<a@x> MT-PRIORITY=1\r\n"),
	             "555 555 555"},
	            {STR("MAIL FROM:<a@x> REQUIRETLS\r\nXFATE 16J\r\n"), "555 502"}));
	submit(STEPS(
		LOG_IN,
		{STR("MAIL FROM:<alice@example.org> REQUIRETLS\r\nMAIL FROM:<alice@example.org> HOLDFOR=2592001\r\n"),
	         "555 501"}));
}

/* Clients that may send on through this server without a login may ask when that should be over. */
static void test_relay_clients(void **state UNUSED)
{
	struct config_network network = {.bits = 24};
	struct talk t = talk_of(STEPS(
		HELLO, {STR("MAIL FROM:<a@x> BY=20;R\r\nRCPT TO:<u@example.org>\r\nBDAT 0 LAST\r\n"), "250 250 250"}));

	assert_int_equal(net_address_parse(STR("192.0.2.0:0"), &network.address), OK);
	t.config.relay_from = &network;
	t.config.relay_from_n = 1;
	run(&t, 1);
	assert_contains(&t.text, "250-DELIVERBY\r\n");
	assert_int_equal(t.fake.by_mode, BY_RETURN);
	assert_true(t.fake.deliver_by > 0);
	talk_free(&t);
}

/* RFC 8689 3 */
static void test_tls_required_no(void **state UNUSED)
{
	struct talk t =
		played(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"}, {STR("TLS-Required: No\r\n\r\n.\r\n"), "250"}));

	assert_int_equal(t.fake.flags, MESSAGE_ALL_OR_NONE | MESSAGE_TLS_OPTIONAL);
	talk_free(&t);
}

/* --- programs of this machine --- */

static struct talk locally(const struct step *steps)
{
	struct talk t = talk_of(steps);

	t.local = true;
	run(&t, 1);
	return t;
}

static void test_local(void **state UNUSED)
{
	struct talk t = locally(
		STEPS({STR("EHLO host.example\r\n"), "250"},
	              {STR("MAIL FROM:<cron@elsewhere.example> REQUIRETLS\r\nRCPT TO:<u@example.com>\r\nDATA\r\n"),
	               "250 250 354"},
	              {STR("From: x@y.example, z@y.example\r\nBcc: b\r\n\r\nbody\r\n.\r\n"), "250"}));

	assert_str(buf_str(&t.fake.asker), "s1 0 unix 1");
	assert_str(buf_str(&t.fake.origin), "host.example ESMTP unix uid=1000");
	assert_int_equal(t.fake.account, 0);
	assert_int_equal(t.fake.flags, MESSAGE_ALL_OR_NONE | MESSAGE_SUBMISSION | MESSAGE_LOCAL | MESSAGE_REQUIRE_TLS);
	assert_contains(&t.fake.headers,
	                "Received: from host.example (local user 1000)\r\n\tby mx.example.org with ESMTP id 16J");
	assert_contains(&t.fake.headers, "\r\nMessage-ID: <16J@mx.example.org>\r\nSender: cron@elsewhere.example\r\n");
	assert_contains(&t.text, "250-REQUIRETLS\r\n");
	assert_false(str_contains(buf_str(&t.text), STR("AUTH")));
	assert_int_equal(t.fake.auths + t.fake.session_ends, 0);
	talk_free(&t);
}

static void test_local_programs_do_not_log_in(void **state UNUSED)
{
	struct talk t =
		locally(STEPS(HELLO, {STR("AUTH PLAIN " PLAIN "\r\nXFATE 16J\r\nXFATE 16K\r\n"), "502 250 550"}));

	assert_int_equal(t.fake.auths, 0);
	talk_free(&t);
}

/* --- XFATE --- */

static void test_fate(void **state UNUSED)
{
	struct talk t =
		submitted(STEPS(LOG_IN, {STR("xfate 16j seen=4 wait=600\r\n"), "250"}, {STR("XFATE 16K\r\n"), "550"}));

	assert_contains(
		&t.text,
		"250-VERSION=5 FINAL=0\r\n250-mailbox a+20b+2Bc@+C3+BC AT=1970-01-01T00:00:01.000Z\r\n"
		"250-delayed bob@example.com AT=1970-01-01T00:00:01.000Z DUE=1970-01-01T00:00:02.000Z STATUS=4.4.1 "
		"ORIGINAL=list@example.org HOST=mx[192.0.2.1]:25 SECURITY=TLSv1.3+20x "
		"REPLY=450+20a+0D+0A250+20End\r\n250 End\r\n");
	assert_contains(&t.text, "550 5.1.0 ");
	talk_free(&t);
}

static void test_fate_waits(void **state UNUSED)
{
	struct talk t = submitted(STEPS(LOG_IN, {STR("XFATE 16J SEEN=5 WAIT=600\r\n"), "250"}));

	assert_true(t.lasted >= 10 * MINUTE && t.lasted < 11 * MINUTE);
	talk_free(&t);
	submit(STEPS(LOG_IN, {STR("XFATE 16J SEEN=5 WAIT=600\r\n"), ""}, {STR(""), "stop 421 closed"}));
}

static void test_fate_is_not_for_everybody(void **state UNUSED)
{
	submit(STEPS({STR("XFATE 16J\r\n"), "503"}, HELLO, {STR("XFATE 16J\r\n"), "530"}));
	submit(STEPS(LOG_IN,
	             {STR("XFATE\r\nXFATE !\r\nXFATE 16J WAIT=601\r\nXFATE 16J SEEN\r\nXFATE 16J SEEN=-1\r\nXFATE 16J "
	                  "X=1\r\n"),
	              "501 501 501 501 501 501"},
	             {STR(FROM "XFATE 16J\r\n"), "250 503"}));
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_submission),
		cmocka_unit_test(test_who_is_not_logged_in_submits_nothing),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_failed_logins_end_the_session),
		cmocka_unit_test(test_no_auth_without_tls),
		cmocka_unit_test(test_no_auth_on_other_services),
		cmocka_unit_test(test_long_responses),
		cmocka_unit_test(test_whom_a_login_may_write_as),
		cmocka_unit_test(test_who_asks),
		cmocka_unit_test(test_lmtp_does_not_relay),
		cmocka_unit_test(test_servers_behind_this_one_are_asked),
		cmocka_unit_test(test_servers_behind_this_one_are_away),
		cmocka_unit_test(test_extensions_of_submission),
		cmocka_unit_test(test_what_is_asked_for_is_handed_on),
		cmocka_unit_test(test_what_is_not_for_everybody),
		cmocka_unit_test(test_relay_clients),
		cmocka_unit_test(test_tls_required_no),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_local_programs_do_not_log_in),
		cmocka_unit_test(test_fate),
		cmocka_unit_test(test_fate_waits),
		cmocka_unit_test(test_fate_is_not_for_everybody),
	};

	return cmocka_run_group_tests_name("submission", tests, NULL, NULL);
}
