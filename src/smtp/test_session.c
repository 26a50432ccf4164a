/* SPDX-License-Identifier: ISC */
/* Whole sessions over a simulated connection, with a store and a filter that answer from memory. */
#include "smtp/talk.h"

/* --- greeting and small commands --- */

static void test_extensions(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO, {STR("QUIT\r\n"), "221 closed"}));

	assert_str(buf_str(&t.text),
	           "220 mx.example.org ESMTP Pombo\r\n250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE "
	           "1048576\r\n250-8BITMIME\r\n"
	           "250-SMTPUTF8\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n"
	           "250-LIMITS RCPTMAX=100\r\n250 HELP\r\n221 2.0.0 Goodbye\r\n");
	talk_free(&t);
}

static void test_small_commands(void **state UNUSED)
{
	check(STEPS({STR("HELO\r\nEHLO\r\nLHLO x\r\nMAIL FROM:<a@x>\r\nDATA\r\nRCPT TO:<u@example.org>\r\n"),
	             "501 501 500 503 503 503"},
	            {STR("HELO client.example\r\nNOOP\r\nNOOP any\r\nHELP\r\nVRFY u\r\nVRFY\r\nEXPN l\r\nRSET\r\nRSET "
	                 "x\r\n"),
	             "250 250 250 214 252 501 502 250 501"},
	            {STR("AUTH PLAIN\r\nSTARTTLS\r\nTURN\r\nWHATISTHIS\r\n\r\nquit \r\n"),
	             "502 502 502 500 500 221 closed"}));
}

static void test_early_talker(void **state UNUSED)
{
	struct talk t = talk_of((const struct step[]){{STR(""), "554 closed"}, {STR_NONE, NULL}});

	t.early = true;
	run(&t, 1);
	talk_free(&t);
}

static void test_web_browsers(void **state UNUSED)
{
	check(STEPS({STR("GET / HTTP/1.1\r\nHost: x\r\nMAIL FROM:<a@x>\r\n"), "502 closed"}));
	check(STEPS({STR("CONNECT x:80 HTTP/1.1\r\n"), "502 closed"}));
}

static void test_names_in_hello(void **state UNUSED)
{
	BUF(line, 2000);

	for (int i = 0; i < 250; i++)
		buf_putc(&line, 'x');
	str name = buf_str(&line);
	BUF(longer, 4000);
	buf_printf(&longer, "EHLO " STR_FMT "123456\r\nHELO " STR_FMT STR_FMT STR_FMT "\r\n", STR_ARG(name),
	           STR_ARG(name), STR_ARG(name), STR_ARG(name));
	check(STEPS({buf_str(&longer), "501 554"}, {STR("EHLO a\tb\r\nEHLO \x1b[1m\r\nEHLO \xff\r\n"), "501 501 501"},
	            {STR("EHLO [IPv6:::1\r\nEHLO \xc3\xbc.example\r\nEHLO a b (c\r\nHELO .\r\n"), "250 250 250 250"}));
}

static void test_received_stays_well_formed(void **state UNUSED)
{
	struct talk t = played(STEPS({STR("EHLO a) by evil (\r\n"), "250"}, ENVELOPE, {STR("DATA\r\n"), "354"},
	                             {STR(MESSAGE ".\r\n"), "250"}));

	assert_contains(&t.fake.headers,
	                "Received: from a??by?evil?? ([192.0.2.1])\r\n\tby mx.example.org with ESMTP id 16J\r\n"
	                "\tfor <u@example.org>; ");
	talk_free(&t);
}

/* --- a message --- */

static void test_message(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"},
	                             {STR(".From: a\r\n\r\n..x\r\n...\r\n.y\r\n.\r\n"), "250"},
	                             {STR("QUIT\r\n"), "221 closed"}));

	assert_contains(&t.text, "250 2.0.0 Ok: queued as 16J\r\n");
	assert_str(buf_str(&t.fake.body), "From: a\r\n\r\n.x\r\n..\r\ny\r\n");
	assert_str(buf_str(&t.fake.sender), "a@x");
	assert_str(buf_str(&t.fake.rcpts), "u@example.org  0\n");
	assert_str(buf_str(&t.fake.origin), "client.example ESMTP");
	assert_int_equal(t.fake.flags, MESSAGE_ALL_OR_NONE);
	talk_free(&t);
}

static void test_torn_messages_arrive_whole(void **state UNUSED)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct talk t = talk_of(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"},
		                              {STR("a\r\n..b\r\n.\r\nRSET\r\n"), "250 250"}, ENVELOPE,
		                              {STR("BDAT 3\r\na\r\nBDAT 4 LAST\r\n.\r\nb"), "250 250"}));
		t.torn = true;
		run(&t, seed);
		assert_int_equal(t.fake.messages, 2);
		assert_str(buf_str(&t.fake.body), "a\r\n.\r\nb");
		talk_free(&t);
	}
}

static void test_parameters_are_handed_on(void **state UNUSED)
{
	struct talk t =
		played(STEPS(HELLO,
	                     {STR("MAIL FROM:<\xc3\xbc@x> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=Q+2B\r\n"
	                          "RCPT TO:<u@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2B@x\r\nRCPT "
	                          "TO:<\xc3\xa9@example.org>\r\nDATA\r\n"),
	                      "250 250 250 354"},
	                     {STR(MESSAGE ".\r\n"), "250"}));

	assert_str(buf_str(&t.fake.sender), "\xc3\xbc@x");
	assert_str(buf_str(&t.fake.envid), "Q+");
	assert_int_equal(t.fake.ret, DSN_RET_HDRS);
	assert_int_equal(t.fake.size, 100);
	assert_str(buf_str(&t.fake.rcpts), "u@example.org rfc822;o+@x 10\n\xc3\xa9@example.org  0\n");
	assert_str(buf_str(&t.fake.origin), "client.example UTF8SMTP");
	assert_int_equal(t.fake.flags, MESSAGE_ALL_OR_NONE | MESSAGE_8BIT | MESSAGE_UTF8);
	assert_false(str_contains(buf_str(&t.fake.headers), STR("for <")));
	talk_free(&t);
}

static void test_helo_has_no_extensions(void **state UNUSED)
{
	struct talk t = played(STEPS(
		{STR("HELO c\r\nMAIL FROM:<a@x> SIZE=1\r\nMAIL FROM:<a@x>\r\nRCPT TO:<u@example.org> NOTIFY=NEVER\r\n"),
	         "250 555 250 555"},
		{STR("RCPT TO:<henry\xe2\x85\xa3@example.org>\r\nRCPT TO: u@example.org\r\nDATA\r\n"), "550 250 354"},
		{STR(MESSAGE ".\r\n"), "250"}));

	assert_str(buf_str(&t.fake.origin), "c SMTP");
	talk_free(&t);
}

static void test_pipelined_recipients_are_asked_together(void **state UNUSED)
{
	struct talk t = played(STEPS(
		HELLO,
		{STR("MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<nobody@example.org>\r\nrcpt to:<x@y@z>\r\n"
	             "RCPT TO:<tempfail@example.org>\r\nRCPT TO:<b@example.org>\r\nRCPT "
	             "TO:<c@elsewhere.example>\r\nDATA\r\n"),
	         "250 250 550 501 451 250 550 354"},
		{STR(MESSAGE ".\r\nNOOP\r\nQUIT\r\n"), "250 250 221 closed"}));

	assert_int_equal(t.fake.checks, 1);
	assert_int_equal(t.fake.largest_check, 5);
	assert_str(buf_str(&t.fake.rcpts), "a@example.org  0\nb@example.org  0\n");
	assert_str(buf_str(&t.fake.sender), "");
	talk_free(&t);
}

static void test_postmaster(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO, {STR("MAIL FROM:<a@x>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n"), "250 250 354"},
	                             {STR(".\r\n"), "250"}));

	assert_str(buf_str(&t.fake.rcpts), "Postmaster@example.org  0\n");
	assert_str(buf_str(&t.fake.body), "");
	talk_free(&t);
}

static void test_source_route_is_dropped(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO,
	                             {STR("MAIL FROM:<@p,@q:a@x>\r\nRCPT TO:<@r:u@example.org>\r\nRCPT "
	                                  "TO:<@example.org:u@elsewhere.example>\r\nDATA\r\n"),
	                              "250 250 550 354"},
	                             {STR(MESSAGE ".\r\n"), "250"}));

	assert_str(buf_str(&t.fake.sender), "a@x");
	assert_str(buf_str(&t.fake.rcpts), "u@example.org  0\n");
	talk_free(&t);
}

/* --- refusals --- */

static void test_bad_addresses(void **state UNUSED)
{
	check(STEPS(HELLO,
	            {STR("MAIL LALA:<>\r\nMAIL FROM:\r\nMAIL FROM:<pepe>\r\nMAIL FROM:<a@xn--->\r\nMAIL "
	                 "FROM:<postmaster>\r\n"),
	             "501 501 501 501 501"},
	            {STR("MAIL FROM:<\xc3\xbc@x>\r\nMAIL FROM:<a@x>SIZE=1\r\nMAIL FROM:<a@x> COLOUR=red\r\nMAIL "
	                 "FROM:<a@x> SIZE=1048577\r\n"),
	             "553 501 555 552"},
	            {STR("MAIL FROM:<a@x> SIZE=99999999999999999999\r\nMAIL FROM:<a@x> SIZE=-1\r\nMAIL FROM:<a@x>\r\n"),
	             "552 501 250"},
	            {STR("RCPT LALA:<>\r\nRCPT TO:\r\nRCPT TO:<>\r\nRCPT TO:<\xc3\xbc@example.org>\r\nRCPT "
	                 "TO:<a@[1.2.3.4>\r\n"),
	             "501 501 501 553 501"}));
}

static void test_statuses_of_bad_addresses(void **state UNUSED)
{
	struct talk t =
		played(STEPS(HELLO, {STR("MAIL FROM:<pepe>\r\nMAIL FROM:<a@x>\r\nRCPT TO:<pepe>\r\n"), "501 250 501"}));

	assert_contains(&t.text, "501 5.1.7 ");
	assert_contains(&t.text, "501 5.1.3 ");
	talk_free(&t);
}

static void test_order_of_commands(void **state UNUSED)
{
	check(STEPS(
		HELLO,
		{STR("RCPT TO:<u@example.org>\r\nMAIL FROM:<a@x>\r\nMAIL FROM:<b@x>\r\nDATA\r\n"), "503 250 503 503"},
		{STR("RCPT TO:<nobody@example.org>\r\nDATA\r\nRCPT TO:<u@example.org>\r\nDATA x\r\n"),
	         "550 554 250 501"},
		{STR("EHLO again.example\r\nRCPT TO:<u@example.org>\r\n"), "250 503"}, ENVELOPE,
		{STR("RSET\r\nDATA\r\n"), "250 503"}, ENVELOPE,
		{STR("EHLO\r\nVRFY \xc3\xbc\r\nEXPN\r\nDATA\r\n"), "501 252 502 354"}, {STR(MESSAGE ".\r\n"), "250"}));
}

static void test_bare_line_ends_are_refused(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"}, {STR("a\n.\r\nRSET\r\n.\r\n"), "521"},
	                             {STR("RCPT TO:<u@example.org>\r\nDATA\r\nBDAT 1 LAST\r\nx"), "503 503 503"},
	                             ENVELOPE, {STR("BDAT 3\r\na\rbBDAT 2 LAST\r\nxx"), "521 503"}, ENVELOPE,
	                             {STR("BDAT 2 LAST\r\na\r"), "521"}, {STR("NOOP\r\n"), "250"}));

	assert_int_equal(t.fake.messages, 0);
	talk_free(&t);
}

static void test_bare_line_ends_are_normalised(void **state UNUSED)
{
	struct talk t = talk_of(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"}, {STR("a\n.\r\rb\r\n.\r\n"), "250"}));

	t.config.bare_newlines = BARE_NEWLINES_NORMALISE;
	run(&t, 1);
	assert_str(buf_str(&t.fake.body), "a\r\n.\r\n\r\nb\r\n");
	talk_free(&t);
}

static void test_nul(void **state UNUSED)
{
	struct talk t = played(
		STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"}, {STR("a\0\r\n.\r\n"), "554"}, ENVELOPE,
	              {STR("BDAT 1\r\n\0"), "554"},
	              {STR("MAIL FROM:<a@x> BODY=BINARYMIME\r\nRCPT TO:<u@example.org>\r\nDATA\r\n"), "250 250 503"},
	              {STR("BDAT 4 LAST\r\n\0\n\r."), "250"}));

	assert_int_equal(t.fake.body.n, 4);
	assert_int_equal(t.fake.flags, MESSAGE_ALL_OR_NONE | MESSAGE_8BIT | MESSAGE_BINARY);
	talk_free(&t);
}

static void test_commands_behind_data(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO, ENVELOPE, {STR("DATA\r\nRSET\r\nNOOP\r\n"), "503 closed"}));

	assert_int_equal(t.fake.messages, 0);
	talk_free(&t);
}

static void test_control_and_8bit_in_commands(void **state UNUSED)
{
	check(STEPS(
		{STR("NO\0OP\r\nNOOP \0\r\n\x1b[2J\r\nN\xc3\x96OP\r\n\xff\xfe\r\nNOOP\n"), "501 501 501 500 501 500"},
		{STR("NOOP\r\n"), "250"}));
}

static void test_long_line_is_one_error(void **state UNUSED)
{
	BUF(line, 1 << 20);

	for (size_t n = 500; n < 200000; n += n / 2) {
		buf_reset(&line);
		buf_puts(&line, "NOOP ");
		while (line.n < n)
			buf_putc(&line, 'x');
		buf_puts(&line, "QUIT\r\n");
		check(STEPS({buf_str(&line), line.n < COMMAND_LINE_MAX ? "250" : "500"}, {STR("NOOP\r\n"), "250"}));
	}
}

static void test_message_refused_by_the_filter(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"},
	                             {STR("From: a\r\nBad header\r\n\r\nx\r\n.\r\n"), "554"},
	                             {STR("RCPT TO:<u@example.org>\r\n"), "503"}, ENVELOPE, {STR("DATA\r\n"), "354"},
	                             {STR("Delivered-To: u@example.org\r\n\r\n.\r\n"), "554"}));

	assert_contains(&t.text, "554 5.6.0 ");
	assert_contains(&t.text, "554 5.4.6 ");
	assert_int_equal(t.fake.accepts, 0);
	talk_free(&t);
}

static void test_one_refusal_refuses_all(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO,
	                             {STR("MAIL FROM:<a@x>\r\nRCPT TO:<u@example.org>\r\nRCPT "
	                                  "TO:<gone@example.org>\r\nRCPT TO:<full@example.org>\r\nDATA\r\n"),
	                              "250 250 250 250 354"},
	                             {STR(MESSAGE ".\r\n"), "452"}));

	assert_int_equal(t.fake.messages, 0);
	assert_contains(&t.text, "452 4.2.2 The mailbox is full\r\n");
	talk_free(&t);
}

static void check_away(struct fake how, const char *rcpt, const char *data, const char *end)
{
	struct talk t =
		talk_of(STEPS(HELLO, {STR("MAIL FROM:<a@x>\r\n"), "250"},
	                      {STR("RCPT TO:<u@example.org>\r\nRCPT TO:<x>\r\n"), rcpt}, {STR("DATA\r\n"), data},
	                      {data[0] == '3' ? STR(MESSAGE ".\r\n") : STR(""), end}, {STR("NOOP\r\n"), "250"}));
	t.fake = how;
	run(&t, 1);
	assert_int_equal(t.fake.messages, 0);
	talk_free(&t);
}

static void test_others_away(void **state UNUSED)
{
	check_away((struct fake){.store_away = true}, "451 501", "554", "");
	check_away((struct fake){.filter_away = true}, "250 501", "354", "451");
	check_away((struct fake){.accept = E_TEMP}, "250 501", "354", "451");
	check_away((struct fake){.accept = E_FULL}, "250 501", "354", "452");
	check_away((struct fake){.delay = 600 * NSEC_PER_SEC}, "250 501", "354", "451");
}

/* --- BDAT --- */

static void test_chunks(void **state UNUSED)
{
	struct talk t =
		played(STEPS(HELLO, ENVELOPE,
	                     {STR("BDAT 5\r\na\r\n.\rBDAT 6\r\n\n..b\r\nBDAT 0 LAST\r\nNOOP\r\n"), "250 250 250 250"}));

	assert_str(buf_str(&t.fake.body), "a\r\n.\r\n..b\r\n");
	talk_free(&t);
}

static void test_chunks_in_the_wrong_state(void **state UNUSED)
{
	struct talk t = played(STEPS(
		{STR("BDAT 6\r\nQUIT\r\n"), "503"}, HELLO, {STR("BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"), "503 250"},
		{STR("MAIL FROM:<a@x>\r\nBDAT 6\r\nQUIT\r\nDATA\r\nRCPT TO:<u@example.org>\r\n"), "250 503 503 503"},
		ENVELOPE,
		{STR("BDAT 1\r\nxRCPT TO:<u@example.org>\r\nMAIL FROM:<a@x>\r\nDATA\r\nBDAT 6 "
	             "LAST\r\nQUIT\r\nNOOP\r\n"),
	         "250 503 503 503 503 250"}));

	assert_int_equal(t.fake.messages, 0);
	talk_free(&t);
}

static void test_chunk_sizes(void **state UNUSED)
{
	static const char *const bad[] = {"18446744073709551616", "-1", "00x", "+5", "", "LAST", "5 FIRST", "5 LAST X"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		BUF(line, 100);

		buf_printf(&line, "BDAT %s\r\nNOOP\r\n", bad[i]);
		check(STEPS(HELLO, ENVELOPE, {buf_str(&line), "501 closed"}));
	}
	check(STEPS(HELLO, ENVELOPE, {STR("BDAT 18446744073709551615\r\nNOOP\r\n"), "552 closed"}));
}

/* --- LMTP --- */

static void test_lmtp(void **state UNUSED)
{
	struct talk t = talk_of(STEPS(
		{STR("EHLO c\r\nHELO c\r\nLHLO c\r\n"), "500 500 250"},
		{STR("MAIL FROM:<a@x>\r\nRCPT TO:<u@example.org>\r\nRCPT TO:<nobody@example.org>\r\nRCPT "
	             "TO:<full@example.org>\r\n"
	             "RCPT TO:<v@example.org>\r\nDATA\r\n"),
	         "250 250 550 250 250 354"},
		{STR(MESSAGE ".\r\n"), "250 452 250"},
		{STR("MAIL FROM:<a@x>\r\nRCPT TO:<nobody@example.org>\r\nDATA\r\nRSET\r\n"), "250 550 503 250"},
		{STR("MAIL FROM:<a@x>\r\nRCPT TO:<u@example.org>\r\nRCPT TO:<v@example.org>\r\nBDAT 2 LAST\r\n\nx"),
	         "250 250 250 521 521"},
		{STR("QUIT\r\n"), "221 closed"}));

	t.lmtp = true;
	run(&t, 1);
	assert_str(buf_str(&t.fake.rcpts), "u@example.org  0\nv@example.org  0\n");
	assert_str(buf_str(&t.fake.origin), "c LMTP");
	assert_int_equal(t.fake.flags, 0);
	assert_contains(&t.text, "220 mx.example.org LMTP Pombo\r\n");
	talk_free(&t);
}

/* --- limits --- */

static void repeat(struct buf *b, const char *text, int n)
{
	for (int i = 0; i < n; i++)
		buf_puts(b, text);
}

/* `text` n times gets codes, of which `code` all but the last two: "421 closed". */
static void check_flood(const char *text, const char *code, int n, int answered)
{
	BUF(say, 1 << 20);
	BUF(want, 1 << 20);

	repeat(&say, text, n);
	repeat(&want, code, answered);
	buf_printf(&want, "421 closed%c", 0);
	struct talk t = talk_of(STEPS({buf_str(&say), want.p}));
	t.config.limits.commands = 50;
	run(&t, 1);
	talk_free(&t);
}

static void test_too_many_commands(void **state UNUSED)
{
	check_flood("NOOP\r\n", "250 ", 1000, 50);
	check_flood("RSET\r\n", "250 ", 1000, 50);
	check_flood("EHLO x\r\n", "250 ", 1000, 50);
	check_flood("NONSENSE\r\n", "500 ", 1000, 20);
	check_flood("BDAT 1\r\nx", "503 ", 1000, 20);
}

static void test_too_many_chunks(void **state UNUSED)
{
	BUF(say, 1 << 20);
	BUF(want, 1 << 20);

	repeat(&say, "BDAT 1\r\nx", 2000);
	repeat(&want, "250 ", 998);
	buf_printf(&want, "421 closed%c", 0);
	check(STEPS(HELLO, ENVELOPE, {buf_str(&say), want.p}));
}

static void test_mail_that_moves_is_no_flood(void **state UNUSED)
{
	BUF(say, 1 << 20);
	BUF(want, 1 << 20);

	repeat(&say, "MAIL FROM:<a@x>\r\nRCPT TO:<u@example.org>\r\nBDAT 1 LAST\r\nx", 100);
	repeat(&want, "250 250 250 ", 100);
	buf_putc(&want, 0);
	struct talk t = talk_of(STEPS(HELLO, {buf_str(&say), want.p}));
	t.config.limits.commands = 10;
	run(&t, 1);
	assert_int_equal(t.fake.messages, 100);
	talk_free(&t);
}

static void test_too_many_recipients(void **state UNUSED)
{
	BUF(say, 1 << 22);
	BUF(want, 1 << 20);

	buf_puts(&say, "MAIL FROM:<a@x>\r\n");
	repeat(&say, "RCPT TO:<u@example.org>\r\n", 1000);
	buf_puts(&say, "DATA\r\n");
	buf_puts(&want, "250 ");
	repeat(&want, "250 ", 100);
	repeat(&want, "452 ", 900);
	buf_printf(&want, "354%c", 0);
	struct talk t = played(STEPS(HELLO, {buf_str(&say), want.p}, {STR(MESSAGE ".\r\n"), "250"}));
	assert_int_equal(t.fake.messages, 1);
	assert_true(t.fake.largest_check > 10);
	talk_free(&t);
}

/* Ten times what is allowed is beyond what any client does by mistake. */
static void test_far_too_many_recipients(void **state UNUSED)
{
	BUF(say, 1 << 22);
	BUF(want, 1 << 20);

	buf_puts(&say, "MAIL FROM:<a@x>\r\n");
	repeat(&say, "RCPT TO:<u@example.org>\r\n", 200);
	buf_puts(&want, "250 250 250 250 250 ");
	repeat(&want, "452 ", 96); /* of one batch */
	buf_printf(&want, "421 closed%c", 0);
	struct talk t = talk_of(STEPS(HELLO, {buf_str(&say), want.p}));
	t.config.limits.recipients = 4;
	run(&t, 1);
	talk_free(&t);
}

static void test_too_large(void **state UNUSED)
{
	BUF(big, 1 << 20);

	repeat(&big, "0123456789\r\n", 2000);
	str text = buf_str(&big);
	struct talk t =
		talk_of(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"}, {text, ""}, {STR(".\r\nRSET\r\n"), "552 250"},
	                      ENVELOPE, {STR("BDAT 24000\r\n"), ""}, {text, "552"}, {STR("BDAT 1 LAST\r\nx"), "503"},
	                      ENVELOPE, {STR("DATA\r\n"), "354"}, {STR(MESSAGE ".\r\n"), "250"}));
	t.config.limits.message_size = 10000;
	run(&t, 1);
	assert_int_equal(t.fake.messages, 1);
	talk_free(&t);
}

static void test_no_room_for_the_message(void **state UNUSED)
{
	BUF(big, 1 << 20);

	repeat(&big, "0123456789\r\n", 2000);
	struct talk t =
		talk_of(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"}, {buf_str(&big), ""}, {STR(".\r\n"), "452"},
	                      ENVELOPE, {STR("DATA\r\n"), "354"}, {STR(MESSAGE ".\r\n"), "250"}));
	t.budget.cap = 10000;
	run(&t, 1);
	assert_true(t.lasted >= 5 * NSEC_PER_SEC);
	talk_free(&t);
}

static void test_out_of_session_memory(void **state UNUSED)
{
	struct talk t = talk_of(STEPS(
		HELLO, ENVELOPE, {STR("RCPT TO:<v@example.org>\r\n"), "250"},
		{STR("RCPT "
	             "TO:<wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww@example.org>\r\nNOOP\r\n"),
	         "452 250"}));
	t.config.limits.session_memory = 256;
	run(&t, 1);
	talk_free(&t);
}

static void test_messages_of_a_session(void **state UNUSED)
{
	struct talk t = talk_of(STEPS(HELLO, ENVELOPE, {STR("BDAT 0 LAST\r\n"), "250"}, ENVELOPE,
	                              {STR("BDAT 0 LAST\r\n"), "250"}, {STR("MAIL FROM:<a@x>\r\n"), "421 closed"}));
	t.config.limits.messages = 2;
	run(&t, 1);
	assert_contains(&t.text, "250-LIMITS RCPTMAX=100 MAILMAX=2\r\n");
	talk_free(&t);
}

/* --- time --- */

static void test_waits_for_a_command(void **state UNUSED)
{
	struct talk t = played(STEPS(HELLO, {STR("NOO"), "421 closed"}));

	assert_true(t.lasted >= 5 * MINUTE && t.lasted < 6 * MINUTE);
	talk_free(&t);
	t = played(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"}, {STR("a\r\n."), "421 closed"}));
	assert_true(t.lasted >= 5 * MINUTE && t.lasted < 6 * MINUTE);
	talk_free(&t);
}

static void trickle(void *arg)
{
	struct talk *t = arg;
	struct stream *s;

	if (!fake_start(&t->fake) || !stream_pair(&s, &t->server, 65536, false))
		abort();
	t->session = rt_spawn(serve, t, "session");
	for (const struct step *step = t->steps; step->want != NULL; step++)
		stream_put(s, step->say);
	while (!t->over) {
		stream_put(s, STR("x"));
		stream_flush(s);
		(void)!rt_sleep_until(rt_after(MINUTE));
	}
	t->lasted = rt_now();
	stream_close(s);
	fake_stop(&t->fake);
}

static void test_trickle_does_not_hold_a_session(void **state UNUSED)
{
	static const struct step command[] = {{STR("NOOP"), ""}, {STR_NONE, NULL}};
	static const struct step data[] = {
		{STR("EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<u@example.org>\r\nBDAT 100000 LAST\r\n"), ""},
		{STR_NONE, NULL}};
	const struct step *all[] = {command, data};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct talk t = talk_of(all[i]);
		log_to(-1);
		assert_int_equal(rt_run_simulated(1, trickle, &t), OK);
		assert_true(t.lasted < 125 * MINUTE);
		assert_int_equal(t.budget.used, 0);
		talk_free(&t);
	}
}

static void test_disconnect_before_the_end(void **state UNUSED)
{
	static const str parts[] = {STR(""), STR("Subject: x\r\n\r\nbody\r\n"), STR("x\r\n."), STR("x\r\n.\r")};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct talk t = played(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354"}, {parts[i], ""}));
		assert_int_equal(t.fake.accepts, 0);
		talk_free(&t);
	}
	struct talk t = played(STEPS(HELLO, ENVELOPE, {STR("BDAT 2\r\nxx"), "250"}, {STR("BDAT 1000 LAST\r\nx"), ""}));
	assert_int_equal(t.fake.accepts, 0);
	talk_free(&t);
}

static void test_shutdown(void **state UNUSED)
{
	check(STEPS(HELLO, {STR(""), "stop 421 closed"}));
	check(STEPS(HELLO, {STR("MAIL FROM:<a@x>\r\n"), "250 stop 421 closed"}));
	struct talk t =
		played(STEPS(HELLO, ENVELOPE, {STR("DATA\r\n"), "354 stop"}, {STR(MESSAGE ".\r\n"), "250 421 closed"}));
	assert_int_equal(t.fake.messages, 1);
	talk_free(&t);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_small_commands),
		cmocka_unit_test(test_early_talker),
		cmocka_unit_test(test_web_browsers),
		cmocka_unit_test(test_names_in_hello),
		cmocka_unit_test(test_received_stays_well_formed),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_torn_messages_arrive_whole),
		cmocka_unit_test(test_parameters_are_handed_on),
		cmocka_unit_test(test_helo_has_no_extensions),
		cmocka_unit_test(test_pipelined_recipients_are_asked_together),
		cmocka_unit_test(test_postmaster),
		cmocka_unit_test(test_source_route_is_dropped),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_statuses_of_bad_addresses),
		cmocka_unit_test(test_order_of_commands),
		cmocka_unit_test(test_bare_line_ends_are_refused),
		cmocka_unit_test(test_bare_line_ends_are_normalised),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_commands_behind_data),
		cmocka_unit_test(test_control_and_8bit_in_commands),
		cmocka_unit_test(test_long_line_is_one_error),
		cmocka_unit_test(test_message_refused_by_the_filter),
		cmocka_unit_test(test_one_refusal_refuses_all),
		cmocka_unit_test(test_others_away),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunks_in_the_wrong_state),
		cmocka_unit_test(test_chunk_sizes),
		cmocka_unit_test(test_lmtp),
		cmocka_unit_test(test_too_many_commands),
		cmocka_unit_test(test_too_many_chunks),
		cmocka_unit_test(test_mail_that_moves_is_no_flood),
		cmocka_unit_test(test_too_many_recipients),
		cmocka_unit_test(test_far_too_many_recipients),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_no_room_for_the_message),
		cmocka_unit_test(test_out_of_session_memory),
		cmocka_unit_test(test_messages_of_a_session),
		cmocka_unit_test(test_waits_for_a_command),
		cmocka_unit_test(test_trickle_does_not_hold_a_session),
		cmocka_unit_test(test_disconnect_before_the_end),
		cmocka_unit_test(test_shutdown),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
