/* SPDX-License-Identifier: ISC */
/* What is said to which server for which message: parameters, what is mended, what is refused, and what never gets into a command. */
#include "base/test.h"

#include "smtp/client_sent.h"

#define U    "\xc3\xbc"
#define MIME "MIME-Version: 1.0\r\n"

/* --- what servers lack --- */

#define ALL "PIPELINING SIZE 8BITMIME CHUNKING BINARYMIME SMTPUTF8 DSN DELIVERBY MT-PRIORITY FUTURERELEASE "

static void parameters(void **state UNUSED)
{
	struct sent s = {
		.extensions = "8BITMIME SMTPUTF8 DSN DELIVERBY MT-PRIORITY FUTURERELEASE",
		.send = {.envid = STR("a+b=c"),
	                 .ret = DSN_RET_HDRS,
	                 .by_seconds = -5,
	                 .by_mode = BY_NOTIFY,
	                 .priority = 6,
	                 .hold_seconds = 60},
		.rcpts = {{.address = STR("b@y"), .orcpt = STR("rfc822;b+t=x@y"), .notify = DSN_SUCCESS | DSN_DELAY},
	                  {.address = STR("\"c d\"@y"), .orcpt = STR("utf-8;" U "+@" U), .notify = DSN_NEVER}}};

	CHECK(&s, OK,
	      "MAIL FROM:<a@x> RET=HDRS ENVID=a+2Bb+3Dc BY=-5;N MT-PRIORITY=-4 HOLDFOR=60\r\n"
	      "RCPT TO:<b@y> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bt+3Dx@y\r\n"
	      "RCPT TO:<\"c d\"@y> NOTIFY=NEVER ORCPT=utf-8;\\x{FC}\\x{2B}@\\x{FC}\r\nDATA\r\nQUIT\r\n",
	      TEXT);
	sent_done(&s);
	s.extensions = "";
	s.send.hold_seconds = 0;
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<\"c d\"@y>\r\nDATA\r\nQUIT\r\n", TEXT);
	sent_done(&s);
}

static void addresses_beyond_ascii(void **state UNUSED)
{
	struct sent s = {.extensions = "8BITMIME SMTPUTF8 DSN",
	                 .rcpts = {{.address = STR(U "@" U ".example"), .orcpt = STR("utf-8;" U "\\x{5C}@y")}}};

	CHECK(&s, OK,
	      "MAIL FROM:<a@x> SMTPUTF8\r\nRCPT TO:<" U "@" U ".example> ORCPT=utf-8;" U
	      "\\x{5C}@y\r\nDATA\r\nQUIT\r\n",
	      TEXT);
	sent_done(&s);
	/* Without it: a domain has a form in ASCII, a local part has none. */
	s = (struct sent){
		.extensions = "8BITMIME",
		.send = {.sender = STR("a@" U ".example")},
		.rcpts = {{.address = STR("b@" U ".example")}, {.address = STR(U "@y")}, {.address = STR("c@y")}}};
	CHECK(&s, OK,
	      "MAIL FROM:<a@xn--tda.example>\r\nRCPT TO:<b@xn--tda.example>\r\nRCPT TO:<c@y>\r\nDATA\r\nQUIT\r\n",
	      TEXT);
	check_rcpt(&s, 1, E_PERM, 0, "5.6.7", "the server takes no addresses beyond ASCII");
	check_rcpt(&s, 2, OK, 250, "2.0.0", "Ok: queued");
	sent_done(&s);
	s = (struct sent){.extensions = "", .rcpts = {{.address = STR(U "@y")}}};
	CHECK(&s, OK, "QUIT\r\n", "");
	assert_int_equal(s.rcpts[0].result, E_PERM);
	assert_true(s.usable);
	sent_done(&s);
	s = (struct sent){.extensions = "", .send = {.sender = STR(U "@y")}};
	CHECK(&s, OK, "QUIT\r\n", "");
	assert_str(s.rcpts[0].status, "5.6.7");
	sent_done(&s);
}

static void headers_beyond_ascii(void **state UNUSED)
{
	static const char *const text = "Subject: " U "\r\n\r\nx\r\n";
	struct sent s = {.extensions = "8BITMIME SMTPUTF8", .send = {.flags = MESSAGE_UTF8}, .message = text};

	CHECK(&s, OK, "MAIL FROM:<a@x> BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", text);
	sent_done(&s);
	s = (struct sent){.extensions = "8BITMIME", .send = {.flags = MESSAGE_UTF8}, .message = text};
	CHECK(&s, OK, "QUIT\r\n", "");
	assert_str(s.rcpts[0].status, "5.6.7");
	sent_done(&s);
	/* It came so, and nobody said that it is UTF-8: it goes on so. */
	s = (struct sent){.extensions = "8BITMIME SMTPUTF8", .message = text};
	CHECK(&s, OK, "MAIL FROM:<a@x> BODY=8BITMIME\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", text);
	sent_done(&s);
	s = (struct sent){.extensions = "SMTPUTF8",
	                  .send = {.flags = MESSAGE_UTF8}}; /* came with SMTPUTF8, needs it not */
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", TEXT);
	sent_done(&s);
}

static void bodies_beyond_ascii(void **state UNUSED)
{
	static const char *const text = MIME "Content-Type: image/x\r\n\r\n" U;
	struct sent s = {.extensions = "8BITMIME SIZE", .message = text};

	CHECK(&s, OK, "MAIL FROM:<a@x> SIZE=48 BODY=8BITMIME\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n",
	      MIME "Content-Type: image/x\r\n\r\n" U "\r\n");
	sent_done(&s);
	s = (struct sent){.extensions = "SIZE", .message = text};
	CHECK(&s, OK, "MAIL FROM:<a@x> SIZE=85\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n",
	      MIME "Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nw7w=\r\n");
	sent_done(&s);
	s = (struct sent){.extensions = "", .message = "Subject: " U "\r\n\r\n" U "\r\n"};
	CHECK(&s, OK, "QUIT\r\n", "");
	check_rcpt(&s, 0, E_PERM, 0, "5.6.3", "the message cannot be changed into what the server takes");
	sent_done(&s);
	s = (struct sent){.extensions = "",
	                  .message = MIME "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n" U
	                                  "\r\n--b--\r\n"};
	CHECK(&s, OK, "QUIT\r\n", "");
	assert_str(s.rcpts[0].status, "5.6.3");
	sent_done(&s);
}

static void binary_bodies(void **state UNUSED)
{
	const str text = STR(MIME "\r\na\nb\0");
	struct sent s = {.extensions = "8BITMIME CHUNKING BINARYMIME",
	                 .send = {.message = text, .flags = MESSAGE_BINARY}};

	sent_send(&s, 1);
	assert_str(buf_str(&s.m.server.commands),
	           HELLO "MAIL FROM:<a@x> BODY=BINARYMIME\r\nRCPT TO:<b@y>\r\nBDAT 25 LAST\r\nQUIT\r\n");
	assert_true(str_equal(buf_str(&s.m.server.content), text));
	sent_done(&s);
	s.extensions = "8BITMIME CHUNKING";
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 66 LAST\r\nQUIT\r\n",
	      MIME "Content-Transfer-Encoding: base64\r\n\r\nYQpiAA==\r\n");
	sent_done(&s);
	s.send.flags = 0;
	CHECK(&s, E_SYNTAX, "QUIT\r\n", "");
	assert_true(s.usable);
	sent_done(&s);
}

static void sizes(void **state UNUSED)
{
	struct sent s = {.extensions = "SIZE/19"};

	CHECK(&s, OK, "QUIT\r\n", "");
	check_rcpt(&s, 0, E_PERM, 0, "5.3.4", "the message has 20 octets, the server takes 19");
	sent_done(&s);
	s.extensions = "SIZE/20";
	CHECK(&s, OK, "MAIL FROM:<a@x> SIZE=20\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", TEXT);
	sent_done(&s);
}

/* A Unix socket is as good as TLS (RFC 8689 is about the way). */
static void tls_is_required_of_a_local_server(void **state UNUSED)
{
	struct sent s = {.extensions = "REQUIRETLS", .local = true, .send = {.flags = MESSAGE_REQUIRE_TLS}};

	CHECK(&s, OK, "MAIL FROM:<a@x> REQUIRETLS\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", TEXT);
	sent_done(&s);
	s.extensions = "";
	CHECK(&s, OK, "QUIT\r\n", "");
	check_rcpt(&s, 0, E_PERM, 0, "5.7.30",
	           "the message must stay under TLS on its way, which the server does not promise (REQUIRETLS)");
	sent_done(&s);
}

static void promises_that_servers_do_not_make(void **state UNUSED)
{
	static const struct {
		const char *extensions, *sender;
		uint64_t flags, by_mode, hold;
		int64_t by_seconds;
		const char *status; /* NULL: it is sent */
	} cases[] = {
		{ALL, "a@x", MESSAGE_REQUIRE_TLS, 0, 0, 0, "5.7.30"},
		{ALL "REQUIRETLS", "a@x", MESSAGE_REQUIRE_TLS, 0, 0, 0, "5.7.30"}, /* there is no TLS here */
		{ALL, "", MESSAGE_REQUIRE_TLS, 0, 0, 0, NULL},
		{"", "a@x", 0, BY_RETURN, 0, 60, "5.3.3"},
		{"DELIVERBY", "a@x", 0, BY_RETURN, 0, 0, "5.4.7"},
		{"DELIVERBY/100", "a@x", 0, BY_RETURN, 0, 60, "5.4.7"},
		{"DELIVERBY/60", "a@x", 0, BY_RETURN, 0, 60, NULL},
		{"", "a@x", 0, BY_NOTIFY, 0, 60, NULL},
		{"", "a@x", 0, 0, 60, 0, "5.3.3"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sent s = {.extensions = cases[i].extensions,
		                 .send = {.sender = str_from(cases[i].sender),
		                          .flags = cases[i].flags,
		                          .by_mode = cases[i].by_mode,
		                          .by_seconds = cases[i].by_seconds,
		                          .hold_seconds = cases[i].hold}};

		sent_send(&s, 1);
		assert_int_equal(s.m.result, OK);
		assert_int_equal(s.m.server.taken, cases[i].status == NULL);
		assert_str(s.rcpts[0].status, cases[i].status == NULL ? "2.0.0" : cases[i].status);
		sent_done(&s);
	}
}

/* --- nothing gets into a command --- */

static void nothing_is_injected(void **state UNUSED)
{
	static const str bad[] = {STR("b@y\r\nRSET"),
	                          STR("b@y>\r\nDATA"),
	                          STR("b@y\nx"),
	                          STR("b@y\rx"),
	                          STR("b\0@y"),
	                          STR("b @y"),
	                          STR("b@y "),
	                          STR("b@y> NOTIFY=NEVER"),
	                          STR("<b@y>"),
	                          STR("b@y z"),
	                          STR("@z:b@y"),
	                          STR("\"b\r\n\"@y"),
	                          STR("\"b"),
	                          STR("b"),
	                          STR("b@"),
	                          STR("b@[1.2.3.4"),
	                          STR("b@y\xc2\x85 x"),
	                          STR("\xff@y"),
	                          STR("b@y\tx"),
	                          STR("\"b\0\"@y")};

	for (size_t i = 0; i < 2 * ARRAY_LEN(bad); i++) {
		str address = bad[i / 2];
		struct sent s = {.extensions = ALL,
		                 .send = {.sender = i % 2 == 0 ? address : STR("a@x")},
		                 .rcpts = {{.address = STR("c@y")}, {.address = i % 2 == 0 ? STR("d@y") : address}}};

		CHECK(&s, E_SYNTAX, "QUIT\r\n", "");
		assert_int_equal(s.rcpts[0].result, E_SYNTAX);
		assert_false(s.m.in_doubt);
		assert_true(s.usable);
		sent_done(&s);
	}
}

static void parameters_that_cannot_be_said(void **state UNUSED)
{
	static const struct {
		str envid, orcpt;
		uint64_t priority;
	} cases[] = {
		{STR("a\r\nRSET"), STR(""), 0}, {STR("a\0"), STR(""), 0},        {STR(""), STR("rfc822;a\r\nRSET"), 0},
		{STR(""), STR("rfc822"), 0},    {STR(""), STR(";a@y"), 0},       {STR(""), STR("rfc822;"), 0},
		{STR(""), STR("a b;a@y"), 0},   {STR(""), STR("utf-8;\xff"), 0}, {STR(""), STR(""), 20},
		{STR(""), STR("a+b;c@y"), 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sent s = {.extensions = ALL,
		                 .send = {.envid = cases[i].envid, .priority = cases[i].priority},
		                 .rcpts = {{.address = STR("b@y"), .orcpt = cases[i].orcpt}}};

		CHECK(&s, E_SYNTAX, "QUIT\r\n", "");
		sent_done(&s);
	}
}

static void bare_line_ends_do_not_leave(void **state UNUSED)
{
	static const char *const bad[] = {"a\nb\r\n", "a\r\n.\n", "a\n.\nMAIL FROM:<x@y>\r\n", "a\rb\r\n", "a\r",
	                                  "\n",       "a\r\r\n"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sent s = {.extensions = i % 2 == 0 ? "" : ALL, .message = bad[i]};

		CHECK(&s, E_SYNTAX, "QUIT\r\n", "");
		assert_true(s.usable);
		sent_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters),
		cmocka_unit_test(addresses_beyond_ascii),
		cmocka_unit_test(headers_beyond_ascii),
		cmocka_unit_test(bodies_beyond_ascii),
		cmocka_unit_test(binary_bodies),
		cmocka_unit_test(sizes),
		cmocka_unit_test(tls_is_required_of_a_local_server),
		cmocka_unit_test(promises_that_servers_do_not_make),
		cmocka_unit_test(nothing_is_injected),
		cmocka_unit_test(parameters_that_cannot_be_said),
		cmocka_unit_test(bare_line_ends_do_not_leave),
	};

	return cmocka_run_group_tests_name("client_plan", tests, NULL, NULL);
}
