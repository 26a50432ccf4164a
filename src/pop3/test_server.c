/* SPDX-License-Identifier: ISC */
/* Whole sessions over a simulated connection, with services that answer from memory. */
#include "pop3/server.h"

#include "base/test.h"
#include "pop3/fake.h"

#define GREETING   "+OK dewey.example.org POP3 Pombo\r\n"
#define LOGIN      "USER mrose\r\nPASS tanstaaf\r\n"
#define LOGGED     "+OK and the password\r\n+OK 2 messages (320 octets)\r\n"
#define MECHANISMS "SASL SCRAM-SHA-256 PLAIN LOGIN\r\n"
#define MINUTE     (60 * NSEC_PER_SEC)

#define TEXT_120                                                                                \
	"Subject: one hundred and twenty octets\r\n\r\n.a line that begins with a dot\r\n.\r\n" \
	"12345678901234567890123456789012345678901\r\n"
#define WIRE_120                                                                                  \
	"Subject: one hundred and twenty octets\r\n\r\n..a line that begins with a dot\r\n..\r\n" \
	"12345678901234567890123456789012345678901\r\n"
#define LINE_48  "1234567890123456789012345678901234567890123456\r\n"
#define TEXT_200 "X: 3\r\n\r\n" LINE_48 LINE_48 LINE_48 LINE_48

struct talk {
	struct fake fake;
	struct config config;
	const char *client; /* address; NULL loopback */
	bool torn, stopping, stop_after_greeting;
	nsec patience;      /* of the client, before it cuts the connection */
	const char *script; /* sent at once */
	struct buf got;
	nsec lasted;
	struct stream *server;
	bool over;
};

static struct talk talk_of(const char *script)
{
	return (struct talk){.fake = {.messages = {{11, STR(TEXT_120)}, {15, STR(TEXT_200)}},
	                              .messages_n = 2,
	                              .password = STR("tanstaaf")},
	                     .config = {.hostname = STR("dewey.example.org"),
	                                .limits = {.errors = 20,
	                                           .commands = 1000,
	                                           .command_time = 5 * MINUTE,
	                                           .session_time = 30 * MINUTE,
	                                           .session_memory = 4 << 20}},
	                     .patience = MINUTE,
	                     .script = script,
	                     .got = BUF_INIT(4 << 20)};
}

static void serve(void *arg)
{
	struct talk *t = arg;
	struct pop3_options o = {
		.config = &t->config, .peers = &t->fake.peers, .session = STR("s1"), .stopping = &t->stopping};

	assert_int_equal(net_address_parse(str_from(t->client != NULL ? t->client : "127.0.0.1:1110"), &o.client), OK);
	pop3_serve(t->server, &o);
	t->lasted = rt_now();
	stream_close(t->server);
	t->over = true;
}

static void collect(struct talk *t, struct stream *s, nsec deadline)
{
	str bytes;

	while (stream_peek(s, &bytes, deadline) == OK) {
		buf_put(&t->got, bytes);
		stream_consume(s, bytes.n);
	}
}

static void converse(void *arg)
{
	struct talk *t = arg;
	struct stream *s;
	str line;
	nsec began = rt_now();

	assert_true(fake_start(&t->fake));
	assert_true(stream_pair(&s, &t->server, 4096, t->torn));
	assert_non_null(rt_spawn(serve, t, "session"));
	if (t->stop_after_greeting) {
		assert_int_equal(stream_read_line(s, 512, &line, RT_NEVER), OK);
		buf_put(&t->got, line);
		t->stopping = true;
	}
	stream_put(s, str_from(t->script));
	collect(t, s, rt_after(t->patience));
	stream_close(s);
	while (!t->over)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_SEC)), OK);
	t->lasted -= began;
	fake_stop(&t->fake);
}

static void run(struct talk *t, uint64_t seed)
{
	log_to(-1);
	assert_int_equal(rt_run_simulated(seed, converse, t), OK);
}

static void check(struct talk *t, const char *want)
{
	run(t, 1);
	assert_str(buf_str(&t->got), want);
	buf_free(&t->got);
}

/* The session said `script`, the rest of the world is as talk_of makes it. */
static void check_script(const char *script, const char *want)
{
	struct talk t = talk_of(script);

	check(&t, want);
}

#define RFC_DIALOGUE LOGIN "STAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nRETR 2\r\nDELE 2\r\nQUIT\r\n"
#define RFC_ANSWERS                                                                                              \
	GREETING LOGGED                                                                                          \
		"+OK 2 320\r\n+OK 2 messages (320 octets)\r\n1 120\r\n2 200\r\n.\r\n+OK 120 octets\r\n" WIRE_120 \
		".\r\n+OK message 1 deleted\r\n+OK 200 octets\r\n" TEXT_200                                      \
		".\r\n+OK message 2 deleted\r\n+OK bye\r\n"

/* RFC 1939 10, all in one segment, and torn to pieces. */
static void the_rfcs_dialogue(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct talk t = talk_of(RFC_DIALOGUE);
		t.torn = seed > 0;
		run(&t, seed);
		assert_str(buf_str(&t.got), RFC_ANSWERS);
		assert_int_equal(t.fake.expunged_n, 2);
		assert_int_equal(t.fake.expunged[0], 11);
		assert_int_equal(t.fake.expunged[1], 15);
		assert_int_equal(t.fake.ends, 1);
		assert_false(t.fake.locked);
		buf_free(&t.got);
	}
}

static void marks_without_quit_do_nothing(void **state)
{
	(void)state;
	struct talk t = talk_of(LOGIN "DELE 1\r\nDELE 2\r\nSTAT\r\n");

	check(&t, GREETING LOGGED "+OK message 1 deleted\r\n+OK message 2 deleted\r\n+OK 0 0\r\n");
	assert_int_equal(t.fake.expunged_n, 0);
	assert_int_equal(t.fake.ends, 1);
	assert_false(t.fake.locked);
}

static void rset_takes_marks_away(void **state)
{
	(void)state;
	struct talk t = talk_of(LOGIN "DELE 1\r\nRSET\r\nDELE 2\r\nLIST\r\nQUIT\r\n");

	check(&t, GREETING LOGGED "+OK message 1 deleted\r\n+OK 2 messages\r\n+OK message 2 deleted\r\n"
	                          "+OK 1 messages (120 octets)\r\n1 120\r\n.\r\n+OK bye\r\n");
	assert_int_equal(t.fake.expunged_n, 1);
	assert_int_equal(t.fake.expunged[0], 15);
}

static void a_failing_expunge_promises_nothing(void **state)
{
	(void)state;
	struct talk t = talk_of(LOGIN "DELE 1\r\nQUIT\r\n");

	t.fake.expunge = E_FULL;
	check(&t,
	      GREETING LOGGED "+OK message 1 deleted\r\n-ERR [SYS/TEMP] the deleted messages may still be there\r\n");
	assert_int_equal(t.fake.ends, 1);
}

static void a_locked_mailbox(void **state)
{
	(void)state;
	struct talk t = talk_of(LOGIN "STAT\r\nQUIT\r\n");

	t.fake.open = E_BUSY;
	check(&t, GREETING "+OK and the password\r\n-ERR [IN-USE] the mailbox is locked by another session\r\n"
	                   "-ERR log in first\r\n+OK bye\r\n");
	assert_int_equal(t.fake.ends, 1); /* the grant was given back */
}

static void numbers(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"0", "3", "-1", "+1", "1x", "x", "18446744073709551617", "99999999999999999999999", "0x1"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		BUF(script, 4096);
		buf_printf(&script, LOGIN "RETR %s\r\nLIST %s\r\nUIDL %s\r\nDELE %s\r\nTOP %s 1\r\nQUIT\r\n%c", bad[i],
		           bad[i], bad[i], bad[i], bad[i], 0);
		check_script(script.p,
		             GREETING LOGGED "-ERR no such message\r\n-ERR no such message\r\n-ERR no such message\r\n"
		                             "-ERR no such message\r\n-ERR no such message\r\n+OK bye\r\n");
	}
	check_script(LOGIN "DELE 2\r\nDELE 2\r\nRETR 2\r\nTOP 2 0\r\nUIDL 2\r\nLIST 2\r\n",
	             GREETING LOGGED "+OK message 2 deleted\r\n-ERR no such message\r\n-ERR no such message\r\n"
	                             "-ERR no such message\r\n-ERR no such message\r\n-ERR no such message\r\n");
}

static void top_and_uidl(void **state)
{
	(void)state;
	check_script(
		LOGIN "TOP 1 1\r\nTOP 1 2147483648\r\nTOP 1 -1\r\nTOP 1 99999999999999999999999\r\n"
		      "UIDL\r\nUIDL 2\r\nLIST 2\r\nNOOP\r\n",
		GREETING LOGGED
		"+OK 120 octets\r\nSubject: one hundred and twenty octets\r\n\r\n..a line that begins with a "
		"dot\r\n.\r\n"
		"+OK 120 octets\r\n" WIRE_120 ".\r\n"
		"-ERR not a number of lines\r\n-ERR not a number of lines\r\n"
		"+OK 2 messages (320 octets)\r\n1 99.11\r\n2 99.15\r\n.\r\n+OK 2 99.15\r\n+OK 2 200\r\n+OK here\r\n");
}

static void wrong_passwords(void **state)
{
	(void)state;
	struct talk t = talk_of(
		"PASS x\r\nUSER mrose\r\nPASS wrong\r\nPASS tanstaaf\r\nUSER nobody\r\nPASS tanstaaf\r\n" LOGIN);

	check(&t,
	      GREETING "-ERR USER first\r\n+OK and the password\r\n-ERR [AUTH] wrong user name or password\r\n"
	               "-ERR USER first\r\n+OK and the password\r\n-ERR [AUTH] wrong user name or password\r\n" LOGGED);
	assert_int_equal(t.fake.logins, 3);
	t = talk_of(LOGIN);
	t.fake.login = E_BUSY;
	check(&t, GREETING "+OK and the password\r\n-ERR [LOGIN-DELAY] too many logins, try again later\r\n");
	t = talk_of(LOGIN);
	t.fake.login = E_TEMP;
	check(&t, GREETING "+OK and the password\r\n-ERR [SYS/TEMP] cannot log in at present\r\n");
	t = talk_of(LOGIN);
	t.fake.open = E_PERM;
	check(&t, GREETING "+OK and the password\r\n-ERR [SYS/PERM] cannot open the mailbox\r\n");
}

/* RFC 5034; "AG1yb3NlAHRhbnN0YWFm" is NUL mrose NUL tanstaaf */
static void auth_plain(void **state)
{
	(void)state;
	check_script("AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n", GREETING "+OK 2 messages (320 octets)\r\n");
	check_script("auth plain\r\nAG1yb3NlAHRhbnN0YWFm\r\n", GREETING "+ \r\n+OK 2 messages (320 octets)\r\n");
	check_script("AUTH PLAIN\r\n*\r\nCAPA x\r\n",
	             GREETING "+ \r\n-ERR cancelled\r\n-ERR wrong number of arguments\r\n");
	check_script("AUTH PLAIN =\r\nAUTH PLAIN !\r\nAUTH PLAIN AG1yb3Nl\r\nAUTH GSSAPI eA==\r\nAUTH\r\n", GREETING
	             "-ERR malformed response\r\n-ERR malformed response: base64: length is no multiple of four\r\n"
	             "-ERR malformed response\r\n-ERR unknown mechanism\r\n"
	             "-ERR wrong number of arguments\r\n");
	check_script("AUTH PLAIN\r\nAG1yb3NlAHRhbnN0YWF\r\nAUTH PLAIN AG1yb3NlAHg=\r\n",
	             GREETING "+ \r\n-ERR malformed response: base64: length is no multiple of four\r\n"
	                      "-ERR [AUTH] wrong user name or password\r\n");
	check_script("AUTH PLAIN bXJvc2UAbXJvc2UAdGFuc3RhYWY=\r\nAUTH PLAIN\r\n",
	             GREETING "+OK 2 messages (320 octets)\r\n-ERR you are logged in\r\n");
	check_script("AUTH PLAIN\r\n", GREETING "+ \r\n");
}

/* What goes wrong in the middle is told to keys, and the session goes on. */
static void exchanges_that_end_early(void **state)
{
	(void)state;
	BUF(script, 1 << 20);
	struct talk t = talk_of("AUTH LOGIN\r\neA==\r\n*\r\nAUTH LOGIN eA==\r\n \r\nNOOP\r\n");

	check(&t,
	      GREETING "+ \r\n+ bW9yZQ==\r\n-ERR cancelled\r\n+ bW9yZQ==\r\n-ERR malformed response: base64: length "
	               "is no multiple of four\r\n-ERR log in first\r\n");
	assert_int_equal(t.fake.cancels, 2);
	buf_puts(&script, "AUTH LOGIN\r\n");
	while (script.n < 20000)
		buf_putc(&script, 'A');
	buf_puts(&script, "\r\n" LOGIN);
	buf_putc(&script, '\0');
	check_script(script.p, GREETING "+ \r\n-ERR response too long\r\n" LOGGED);
}

#define CAPA_REST                                                               \
	"TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"         \
	"EXPIRE NEVER\r\nLOGIN-DELAY 0\r\nUTF8\r\nLANG\r\nIMPLEMENTATION Pombo" \
	"\r\n.\r\n"

static void passwords_need_encryption(void **state)
{
	(void)state;
	struct talk t = talk_of("CAPA\r\n" LOGIN "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n");

	t.client = "192.0.2.1:1110";
	check(&t, GREETING "+OK capabilities\r\n" CAPA_REST
	                   "-ERR [AUTH] no passwords over a connection without encryption\r\n"
	                   "-ERR [AUTH] no passwords over a connection without encryption\r\n"
	                   "-ERR [AUTH] no passwords over a connection without encryption\r\n");
	assert_int_equal(t.fake.logins, 0);
}

static void extensions(void **state)
{
	(void)state;
	check_script("CAPA\r\nUTF8\r\nLANG\r\nLANG en\r\nLANG *\r\nLANG I-Default\r\nLANG tlh\r\n" LOGIN
	             "CAPA\r\nUTF8\r\nLANG en\r\n",
	             GREETING "+OK capabilities\r\nUSER\r\n" MECHANISMS CAPA_REST
	                      "+OK UTF-8 it is\r\n+OK languages\r\nen English\r\ni-default English\r\n.\r\n"
	                      "+OK en this is English\r\n+OK en this is English\r\n+OK i-default this is English\r\n"
	                      "-ERR no such language\r\n" LOGGED "+OK capabilities\r\nUSER\r\n" MECHANISMS CAPA_REST
	                      "-ERR you are logged in\r\n+OK en this is English\r\n");
}

static void states(void **state)
{
	(void)state;
	check_script("STAT\r\nRETR 1\r\nNOOP\r\nRSET\r\nQUIT\r\nSTAT\r\n", GREETING
	             "-ERR log in first\r\n-ERR log in first\r\n-ERR log in first\r\n-ERR log in first\r\n+OK bye\r\n");
	check_script(LOGIN "USER mrose\r\nPASS tanstaaf\r\nWHAT\r\n",
	             GREETING LOGGED "-ERR you are logged in\r\n-ERR you are logged in\r\n-ERR unknown command\r\n");
}

/* 200,000 octets in which every line begins with a dot; every piece is cut inside one. */
static void long_messages(void **state)
{
	(void)state;
	BUF(text, 1 << 20);
	BUF(want, 1 << 20);

	buf_puts(&want, GREETING "+OK and the password\r\n+OK 1 messages (200000 octets)\r\n+OK 200000 octets\r\n");
	for (size_t i = 0; i < 40000; i++) {
		buf_puts(&text, "..x\r\n");
		buf_puts(&want, "...x\r\n");
	}
	buf_puts(&want, ".\r\n+OK bye\r\n");
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct talk t = talk_of(LOGIN "RETR 1\r\nQUIT\r\n");
		t.fake.messages_n = 1;
		t.fake.messages[0].text = buf_str(&text);
		t.torn = seed > 0;
		run(&t, seed);
		assert_true(str_equal(buf_str(&t.got), buf_str(&want)));
		assert_int_equal(t.fake.reads, 4);
		buf_free(&t.got);
	}
}

/* TOP of a long message reads no more than it shows. */
static void top_reads_little(void **state)
{
	(void)state;
	BUF(text, 1 << 20);
	struct talk t = talk_of(LOGIN "TOP 1 2\r\nQUIT\r\n");

	buf_puts(&text, "A: b\r\n\r\n");
	while (text.n < 500000)
		buf_puts(&text, "body\r\n");
	t.fake.messages[0].text = buf_str(&text);
	run(&t, 1);
	assert_true(str_ends(buf_str(&t.got), STR(" octets\r\nA: b\r\n\r\nbody\r\nbody\r\n.\r\n+OK bye\r\n")));
	assert_int_equal(t.fake.reads, 1);
	buf_free(&t.got);
}

static void an_unreadable_message(void **state)
{
	(void)state;
	struct talk t = talk_of(LOGIN "RETR 1\r\nNOOP\r\nQUIT\r\n");

	t.fake.read = E_IO;
	check(&t, GREETING LOGGED "-ERR [SYS/TEMP] cannot read the message\r\n+OK here\r\n+OK bye\r\n");
}

/* Half a message must not look like a whole one. */
static void a_message_that_cannot_be_read_to_its_end(void **state)
{
	(void)state;
	BUF(text, 1 << 20);
	struct talk t = talk_of(LOGIN "DELE 2\r\nRETR 1\r\nNOOP\r\nQUIT\r\n");

	while (text.n < 100000)
		buf_puts(&text, "body\r\n");
	t.fake.messages[0].text = buf_str(&text);
	t.fake.read = E_TEMP;
	t.fake.unreadable_from = 1;
	run(&t, 1);
	assert_true(str_contains(buf_str(&t.got), STR("octets\r\nbody\r\n")));
	assert_false(str_contains(buf_str(&t.got), STR("\r\n.\r\n")));
	assert_false(str_contains(buf_str(&t.got), STR("+OK here")));
	assert_int_equal(t.fake.expunged_n, 0);
	assert_int_equal(t.fake.ends, 1);
	buf_free(&t.got);
}

/* Eleven commands that move no mail, and two for each message. */
static void too_many_commands(void **state)
{
	(void)state;
	BUF(script, 4096);

	buf_puts(&script, LOGIN "RETR 1\r\nDELE 1\r\n");
	for (int i = 0; i < 16; i++)
		buf_puts(&script, i % 2 == 0 ? "UIDL 2\r\n" : "NOOP\r\n");
	buf_puts(&script, "QUIT\r\n");
	buf_putc(&script, '\0');
	struct talk t = talk_of(script.p);
	t.config.limits.commands = 11;
	run(&t, 1);
	str got = buf_str(&t.got);
	assert_true(str_ends(got, STR("+OK here\r\n+OK 2 99.15\r\n-ERR too many commands\r\n")));
	size_t lines = 0;
	for (size_t i = 0; i < got.n; i++)
		lines += got.p[i] == '\n';
	assert_int_equal(lines, 1 + 2 + 7 + 1 + 15 + 1); /* greeting, login, message, mark, fifteen answers, the end */
	assert_int_equal(t.fake.expunged_n, 0);
	assert_int_equal(t.fake.ends, 1);
	buf_free(&t.got);
}

static void limits(void **state)
{
	(void)state;
	struct talk t = talk_of("A\r\nB\r\nC\r\nD\r\nE\r\n");
	t.config.limits.errors = 2;
	check(&t, GREETING
	      "-ERR unknown command\r\n-ERR unknown command\r\n-ERR unknown command\r\n-ERR too many errors\r\n");

	BUF(script, 1 << 20);
	buf_puts(&script, "NOOP ");
	while (script.n < 60000)
		buf_putc(&script, 'x');
	buf_puts(&script, "\r\n" LOGIN "AUTH PLAIN\r\n");
	buf_putc(&script, '\0');
	check_script(script.p, GREETING "-ERR line too long\r\n" LOGGED "-ERR you are logged in\r\n");
}

/* RFC 1939 3: ten minutes at least, nothing is said, nothing is deleted. */
static void autologout(void **state)
{
	(void)state;
	struct talk t = talk_of(LOGIN "DELE 1\r\n");

	t.patience = 24 * 60 * MINUTE;
	check(&t, GREETING LOGGED "+OK message 1 deleted\r\n");
	assert_in_range(t.lasted, 10 * MINUTE, 10 * MINUTE + NSEC_PER_SEC);
	assert_int_equal(t.fake.expunged_n, 0);
	assert_int_equal(t.fake.ends, 1);
	t = talk_of("");
	t.patience = 24 * 60 * MINUTE;
	t.config.limits.command_time = 60 * MINUTE;
	check(&t, GREETING);
	assert_in_range(t.lasted, 30 * MINUTE, 30 * MINUTE + NSEC_PER_SEC);
}

static void shutting_down(void **state)
{
	(void)state;
	struct talk t = talk_of(LOGIN);
	t.stopping = true;
	check(&t, "-ERR [SYS/TEMP] shutting down\r\n");
	t = talk_of(LOGIN);
	t.stop_after_greeting = true;
	check(&t, GREETING "-ERR [SYS/TEMP] shutting down\r\n");
	t = talk_of("QUIT\r\n");
	t.stop_after_greeting = true;
	check(&t, GREETING "+OK bye\r\n");
}

static void an_empty_maildrop(void **state)
{
	(void)state;
	struct talk t = talk_of(LOGIN "STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nQUIT\r\n");

	t.fake.messages_n = 0;
	check(&t, GREETING
	      "+OK and the password\r\n+OK 0 messages (0 octets)\r\n+OK 0 0\r\n+OK 0 messages (0 octets)\r\n.\r\n"
	      "+OK 0 messages (0 octets)\r\n.\r\n-ERR no such message\r\n+OK bye\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_dialogue),
		cmocka_unit_test(marks_without_quit_do_nothing),
		cmocka_unit_test(rset_takes_marks_away),
		cmocka_unit_test(a_failing_expunge_promises_nothing),
		cmocka_unit_test(a_locked_mailbox),
		cmocka_unit_test(numbers),
		cmocka_unit_test(top_and_uidl),
		cmocka_unit_test(wrong_passwords),
		cmocka_unit_test(auth_plain),
		cmocka_unit_test(exchanges_that_end_early),
		cmocka_unit_test(passwords_need_encryption),
		cmocka_unit_test(extensions),
		cmocka_unit_test(states),
		cmocka_unit_test(long_messages),
		cmocka_unit_test(top_reads_little),
		cmocka_unit_test(an_unreadable_message),
		cmocka_unit_test(a_message_that_cannot_be_read_to_its_end),
		cmocka_unit_test(too_many_commands),
		cmocka_unit_test(limits),
		cmocka_unit_test(autologout),
		cmocka_unit_test(shutting_down),
		cmocka_unit_test(an_empty_maildrop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
