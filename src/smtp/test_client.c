/* SPDX-License-Identifier: ISC */
/* The connection: what a client says to a server of some kind, and what it makes of replies that are none. */
#include "base/test.h"

#include "smtp/client_fake.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define REPLIES(...)                \
	(const struct fake_reply[]) \
	{                           \
		__VA_ARGS__,        \
		{                   \
			NULL, NULL  \
		}                   \
	}

static void greet(struct meeting *m, struct smtp_client *c)
{
	err *result = m->ctx;

	*result = smtp_client_greet(c);
}

struct heard_hello {
	unsigned extensions;
	uint64_t size_max;
	bool usable;
	err result, reset;
};

static void greet_and_look(struct meeting *m, struct smtp_client *c)
{
	struct heard_hello *h = m->ctx;

	h->result = smtp_client_greet(c);
	h->extensions = smtp_client_extensions(c);
	h->size_max = smtp_client_size_max(c);
	h->usable = smtp_client_usable(c);
	h->reset = h->usable ? smtp_client_reset(c) : OK;
}

static struct heard_hello hello(const char *extensions, const struct fake_reply *replies, bool lmtp, const char *want)
{
	struct heard_hello h = {0};

	for (uint64_t seed = 0; seed < 4; seed++) {
		struct meeting m = {.server = {.extensions = extensions, .replies = replies, .lmtp = lmtp},
		                    .act = greet_and_look,
		                    .ctx = &h,
		                    .torn = seed > 0};

		assert_int_equal(meet(&m, seed), OK);
		assert_str(buf_str(&m.server.commands), want);
		meeting_end(&m);
	}
	return h;
}

static void extensions(void **state UNUSED)
{
	struct heard_hello h = hello("PIPELINING size/1000 8BitMime DSN X-OTHER AUTH/PLAIN STARTTLS XFATE", NULL, false,
	                             "EHLO client.example\r\nRSET\r\nQUIT\r\n");

	assert_int_equal(h.result, OK);
	assert_int_equal(h.reset, OK);
	assert_true(h.usable);
	assert_int_equal(h.size_max, 1000);
	assert_int_equal(h.extensions, SMTP_EXT_PIPELINING | SMTP_EXT_SIZE | SMTP_EXT_8BITMIME | SMTP_EXT_DSN |
	                                       SMTP_EXT_AUTH | SMTP_EXT_STARTTLS | SMTP_EXT_XFATE);
	h = hello("PIPELINING", NULL, true, "LHLO client.example\r\nRSET\r\nQUIT\r\n");
	assert_int_equal(h.extensions, SMTP_EXT_PIPELINING);
}

static void servers_without_ehlo(void **state UNUSED)
{
	struct heard_hello h =
		hello(NULL, NULL, false, "EHLO client.example\r\nHELO client.example\r\nRSET\r\nQUIT\r\n");

	assert_int_equal(h.result, OK);
	assert_int_equal(h.extensions, 0);
	/* What HELO says are no extensions. */
	h = hello(NULL, REPLIES({"HELO", "250-x\r\n250-SIZE 10\r\n250 PIPELINING\r\n"}), false,
	          "EHLO client.example\r\nHELO client.example\r\nRSET\r\nQUIT\r\n");
	assert_int_equal(h.extensions, 0);
	h = hello(NULL, NULL, true, "LHLO client.example\r\nQUIT\r\n");
	assert_int_equal(h.result, E_PERM);
	h = hello("X", REPLIES({"EHLO", "450 4.3.0 later\r\n"}), false, "EHLO client.example\r\nQUIT\r\n");
	assert_int_equal(h.result, E_TEMP);
	assert_false(h.usable);
}

static void refused_at_the_door(void **state UNUSED)
{
	struct heard_hello h = hello("", REPLIES({"", "554 5.7.1 not you\r\n"}), false, "QUIT\r\n");

	assert_int_equal(h.result, E_PERM);
	assert_false(h.usable);
	h = hello("", REPLIES({"", "421 4.3.2 full\r\n"}), false, "QUIT\r\n");
	assert_int_equal(h.result, E_TEMP);
	h = hello("", REPLIES({"", "220-one\r\n220-two\r\n220 three\r\n"}), false,
	          "EHLO client.example\r\nRSET\r\nQUIT\r\n");
	assert_int_equal(h.result, OK);
}

static void names_of_ours(void **state UNUSED)
{
	static const char *const bad[] = {"a\r\nRSET", "a b", "\x7f"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err e = OK;
		struct meeting m = {
			.server = {.extensions = ""}, .options = {.hello = str_from(bad[i])}, .act = greet, .ctx = &e};

		assert_int_equal(meet(&m, 1), OK);
		assert_int_equal(e, E_SYNTAX);
		assert_str(buf_str(&m.server.commands), "QUIT\r\n");
		meeting_end(&m);
	}
}

/* --- replies that are none (bad-input 41) --- */

static char *repeat(const char *what, size_t n, const char *end)
{
	BUF(text, (size_t)16 << 20);

	for (size_t i = 0; i < n; i++)
		buf_puts(&text, what);
	buf_puts(&text, end);
	buf_putc(&text, '\0');
	return strdup(text.p);
}

static void check_greeting(const char *greeting, err want)
{
	for (uint64_t seed = 0; seed < 2; seed++) {
		err e = OK;
		struct meeting m = {.server = {.extensions = "", .replies = REPLIES({"", greeting})},
		                    .act = greet,
		                    .ctx = &e,
		                    .torn = seed > 0 && strlen(greeting) < 1000};

		assert_int_equal(meet(&m, seed), OK);
		if (e != want)
			fail_msg("%d for %.60s", (int)e, greeting);
		assert_true(m.lasted <= 10 * MINUTE);
		meeting_end(&m);
	}
}

static void replies_that_are_none(void **state UNUSED)
{
	static const char *const bad[] = {
		"\r\n",
		"hello\r\n",
		"22\r\n",
		"2200 x\r\n",
		"220x\r\n",
		"000 x\r\n",
		"150 wait\r\n",
		"199 x\r\n",
		"600 x\r\n",
		"999 x\r\n",
		"-20 x\r\n",
		" 220 x\r\n",
		"220-a\r\n250 b\r\n",
		"220-a\r\n550-b\r\n220 c\r\n",
		"220-a\r\nb\r\n220 c\r\n",
		"354 go\r\n",
		"2\xb2\x30 x\r\n",
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"\x16\x03\x01\r\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_greeting(bad[i], E_SYNTAX);
}

static void replies_without_end(void **state UNUSED)
{
	char *lines = repeat("220-and more\r\n", 200000, ""), *line = repeat("220 0123456789", 1 << 19, "");
	char *hundred = repeat("220-x\r\n", 99, "220 x\r\n"), *more = repeat("220-x\r\n", 100, "220 x\r\n");
	char *longest = repeat("220 ", 255, "xy\r\n"),
	     *longer = repeat("220 ", 255, "xyz\r\n"); /* 1024 and 1025 octets */

	check_greeting(lines, E_SYNTAX);
	check_greeting(line, E_TIMEOUT); /* its end is waited for, in bounded memory */
	check_greeting(hundred, OK);
	check_greeting(more, E_SYNTAX);
	check_greeting(longest, OK);
	check_greeting(longer, E_SYNTAX);
	char *all[] = {lines, line, hundred, more, longest, longer};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]);
}

static void replies_that_are_odd_but_clear(void **state UNUSED)
{
	check_greeting("220\r\n", OK);
	check_greeting("220 \r\n", OK);
	check_greeting("220-\r\n220\r\n", OK);
	check_greeting("220 a bare LF\n", OK);
	check_greeting("220-a\n220 b\r\n", OK);
	check_greeting("220 \x80\xff\0", E_TIMEOUT);
}

/* What was not asked for is never taken for the answer to what is said next. */
static void replies_that_were_not_asked_for(void **state UNUSED)
{
	check_greeting("220 x\r\n250 y\r\n", E_SYNTAX);
	check_greeting("220 x\r\n250-server\r\n250 SIZE 1\r\n250 z\r\n", E_SYNTAX);
	check_greeting("220 x\r\n421 y\r\n", E_CLOSED);
	check_greeting("220 x\r\n25", E_TIMEOUT);
}

/* bad-input 42: the text of a reply is one line that steers nothing. */
struct said {
	int code;
	char status[12];
	char text[1100];
	size_t n;
};

static void note_reply(struct meeting *m, struct smtp_client *c)
{
	struct said *s = m->ctx;
	const struct smtp_reply *r = smtp_client_reply(c);

	if (smtp_client_greet(c) != OK)
		return;
	(void)!smtp_client_reset(c);
	s->code = r->code;
	memcpy(s->status, r->status, sizeof(s->status));
	s->n = r->text.n;
	memcpy(s->text, r->text.p, r->text.n);
}

static void check_reply(const char *reply, int code, const char *status, const char *text)
{
	struct said s = {0};
	struct meeting m = {
		.server = {.extensions = "", .replies = REPLIES({"RSET", reply})}, .act = note_reply, .ctx = &s};

	assert_int_equal(meet(&m, 1), OK);
	assert_int_equal(s.code, code);
	assert_string_equal(s.status, status);
	assert_str(str_make(s.text, s.n), text);
	meeting_end(&m);
}

static void texts_of_replies(void **state UNUSED)
{
	check_reply("550 5.1.1 No such user\r\n", 550, "5.1.1", "No such user");
	check_reply("550-5.1.1 No\r\n550-5.1.1 such\r\n550 5.1.1 user\r\n", 550, "5.1.1", "No such user");
	check_reply("550 No such user\r\n", 550, "5.0.0", "No such user");
	check_reply("550 4.1.1 No such user\r\n", 550, "5.0.0", "4.1.1 No such user");
	check_reply("450 5.1.1\r\n", 450, "4.0.0", "5.1.1");
	check_reply("450 4.123.456\r\n", 450, "4.123.456", "");
	check_reply("450 4.1234.5 x\r\n", 450, "4.0.0", "4.1234.5 x");
	check_reply("450 4.1.1x\r\n", 450, "4.0.0", "4.1.1x");
	check_reply("450 4.1. x\r\n", 450, "4.0.0", "4.1. x");
	check_reply("450 4.1\r\n", 450, "4.0.0", "4.1");
	check_reply("250\r\n", 250, "2.0.0", "");
	check_reply("550 a\x1b[31mb\x07\tc\rd\x7f\r\n", 550, "5.0.0", "a?[31mb? c?d?");
	check_reply("550 \xc3\xbc \xff \xc2\x9b \xed\xa0\x80\r\n", 550, "5.0.0", "\xc3\xbc ? ? ???");
	check_reply("550-one\r\n550-\r\n550 two\r\n", 550, "5.0.0", "one two");
}

static void long_texts_are_cut(void **state UNUSED)
{
	struct said s = {0};
	char *line = repeat("550-\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc.\r\n", 90,
	                    "550 end\r\n");
	struct meeting m = {
		.server = {.extensions = "", .replies = REPLIES({"RSET", line})}, .act = note_reply, .ctx = &s};

	assert_int_equal(meet(&m, 1), OK);
	assert_true(s.n > 990 && s.n <= 1000);
	assert_true(str_is_utf8(str_make(s.text, s.n)));
	meeting_end(&m);
	free(line);
}

/* --- STARTTLS (bad-input 7) --- */

static void try_tls(struct meeting *m, struct smtp_client *c)
{
	struct heard_hello *h = m->ctx;
	struct tls_client *tls;
	struct tls_proof proof;

	assert_int_equal(tls_client_new(STR(""), &tls), OK);
	h->result = smtp_client_greet(c);
	if (h->result == OK)
		h->result = smtp_client_starttls(c, tls, &(struct tls_peer){.server_name = STR("x")}, &proof);
	h->usable = smtp_client_usable(c);
	h->extensions = smtp_client_extensions(c);
	tls_client_free(tls);
}

static struct heard_hello starttls(const char *extensions, const char *reply, const char *want)
{
	struct heard_hello h = {0};
	struct meeting m = {.server = {.extensions = extensions, .replies = REPLIES({"STARTTLS", reply})},
	                    .act = try_tls,
	                    .ctx = &h};

	assert_int_equal(meet(&m, 1), OK);
	assert_str(str_take(buf_str(&m.server.commands), strlen(want)), want);
	meeting_end(&m);
	return h;
}

static void starttls_that_is_refused(void **state UNUSED)
{
	struct heard_hello h = starttls("SIZE", "220 go\r\n", "EHLO client.example\r\nQUIT\r\n");

	assert_int_equal(h.result, E_NOT_FOUND);
	assert_true(h.usable);
	h = starttls("STARTTLS", "454 4.7.0 not now\r\n", "EHLO client.example\r\nSTARTTLS\r\nQUIT\r\n");
	assert_int_equal(h.result, E_TEMP);
	assert_true(h.usable);
	h = starttls("STARTTLS", "502 what\r\n", "EHLO client.example\r\nSTARTTLS\r\nQUIT\r\n");
	assert_int_equal(h.result, E_PERM);
	assert_true(h.usable);
	assert_int_equal(h.extensions, SMTP_EXT_STARTTLS);
}

static void starttls_with_something_behind_it(void **state UNUSED)
{
	struct heard_hello h =
		starttls("STARTTLS", "220 go\r\n250 injected\r\n", "EHLO client.example\r\nSTARTTLS\r\n");

	assert_int_equal(h.result, E_SYNTAX);
	assert_false(h.usable);
	assert_int_equal(h.extensions, 0);
	h = starttls("STARTTLS", "220 go\r\n2", "EHLO client.example\r\nSTARTTLS\r\n");
	assert_int_equal(h.result, E_SYNTAX);
}

static void starttls_with_no_tls_behind_it(void **state UNUSED)
{
	struct heard_hello h = starttls("STARTTLS", "220 go\r\n", "EHLO client.example\r\nSTARTTLS\r\n");

	assert_int_not_equal(h.result, OK);
	assert_false(h.usable);
}

/* --- the end --- */

static void reset_after_a_while(struct meeting *m, struct smtp_client *c)
{
	struct heard_hello *h = m->ctx;

	h->result = smtp_client_greet(c);
	(void)!rt_sleep_until(rt_after(MINUTE));
	h->reset = smtp_client_reset(c);
	h->usable = smtp_client_usable(c);
}

static void connections_that_ended_meanwhile(void **state UNUSED)
{
	/* 421 comes with the reply to the greeting, so it is there when somebody looks; it is as if the connection had ended. */
	struct heard_hello h = {0};
	struct meeting m = {.server = {.extensions = "", .replies = REPLIES({"EHLO", "250 x\r\n421 4.4.2 bye\r\n"})},
	                    .act = reset_after_a_while,
	                    .ctx = &h};

	assert_int_equal(meet(&m, 1), OK);
	assert_int_equal(h.result, OK);
	assert_int_equal(h.reset, E_CLOSED);
	assert_false(h.usable);
	meeting_end(&m);
}

static void quit_waits_a_moment(void **state UNUSED)
{
	err e = OK;
	struct meeting m = {.server = {.extensions = "", .fault = FAULT_STALL, .fault_at = 3}, .act = greet, .ctx = &e};

	assert_int_equal(meet(&m, 1), OK);
	assert_int_equal(e, OK);
	assert_str(buf_str(&m.server.commands), "EHLO client.example\r\nQUIT\r\n");
	meeting_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extensions),
		cmocka_unit_test(servers_without_ehlo),
		cmocka_unit_test(refused_at_the_door),
		cmocka_unit_test(names_of_ours),
		cmocka_unit_test(replies_that_are_none),
		cmocka_unit_test(replies_without_end),
		cmocka_unit_test(replies_that_are_odd_but_clear),
		cmocka_unit_test(replies_that_were_not_asked_for),
		cmocka_unit_test(texts_of_replies),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(starttls_that_is_refused),
		cmocka_unit_test(starttls_with_something_behind_it),
		cmocka_unit_test(starttls_with_no_tls_behind_it),
		cmocka_unit_test(connections_that_ended_meanwhile),
		cmocka_unit_test(quit_waits_a_moment),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
