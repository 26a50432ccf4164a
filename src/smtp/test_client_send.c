/* SPDX-License-Identifier: ISC */
/* Transactions: what is said for which message to which server, and what each recipient gets of the answers. */
#include "base/test.h"

#include <stdio.h>

#include "smtp/client_sent.h"

/* --- the course of it --- */

static void a_message(void **state UNUSED)
{
	struct sent s = {.extensions = ""};

	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", TEXT);
	check_rcpt(&s, 0, OK, 250, "2.0.0", "Ok: queued");
	assert_false(s.m.in_doubt);
	assert_true(s.usable);
	assert_int_equal(s.m.server.taken, 1);
	assert_int_equal(s.m.server.groups, 5);
	sent_done(&s);
}

/* RFC 2920: EHLO; MAIL, RCPT and DATA; QUIT. */
static void a_message_in_two_writes(void **state UNUSED)
{
	struct sent s = {.extensions = "PIPELINING SIZE", .rcpts = {{.address = STR("b@y")}, {.address = STR("c@y")}}};

	CHECK(&s, OK, "MAIL FROM:<a@x> SIZE=20\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\nQUIT\r\n", TEXT);
	assert_int_equal(s.m.server.groups, 3);
	check_rcpt(&s, 1, OK, 250, "2.0.0", "Ok: queued");
	assert_int_equal(s.m.lasted, 0); /* nothing was waited for */
	sent_done(&s);
}

static void a_message_in_a_chunk(void **state UNUSED)
{
	struct sent s = {.extensions = "PIPELINING CHUNKING", .message = ".dot\r\n.\r\nend"};

	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 12 LAST\r\nQUIT\r\n", ".dot\r\n.\r\nend");
	assert_int_equal(s.m.server.taken, 1);
	assert_true(s.usable);
	sent_done(&s);
	s = (struct sent){.extensions = "CHUNKING", .message = ""};
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 0 LAST\r\nQUIT\r\n", "");
	sent_done(&s);
}

static void dots(void **state UNUSED)
{
	static const struct {
		const char *message, *content;
	} cases[] = {
		{"", ""},
		{"x", "x\r\n"},
		{".", "..\r\n"},
		{".\r\n", "..\r\n"},
		{"..\r\n.x\r\n\r\n.\r\n", "...\r\n..x\r\n\r\n..\r\n"},
		{"a.b\r\n.", "a.b\r\n..\r\n"},
		{"\r\n", "\r\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sent s = {.extensions = "", .message = cases[i].message};

		CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", cases[i].content);
		assert_int_equal(s.m.server.taken, 1);
		sent_done(&s);
	}
}

static size_t told;

static void progress(void *ctx, uint64_t sent, uint64_t all)
{
	uint64_t *last = ctx;

	assert_true(sent > *last && sent <= all);
	*last = sent;
	told++;
}

/* Larger than all buffers, with a dot at the beginning of each line, wherever pieces are cut. */
static void large_messages(void **state UNUSED)
{
	static const char *const ways[] = {"", "PIPELINING CHUNKING", "CHUNKING"};
	BUF(text, 4 << 20);
	BUF(stuffed, 4 << 20);

	for (size_t i = 0; text.n < (2u << 20) + 4711; i++) {
		buf_printf(&text, ".%zu\r\n", i);
		buf_printf(&stuffed, "..%zu\r\n", i);
	}
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		uint64_t last = 0;
		struct sent s = {.extensions = ways[i],
		                 .send = {.message = buf_str(&text), .progress = progress, .progress_ctx = &last}};

		told = 0;
		sent_send(&s, 1);
		assert_int_equal(s.m.result, OK);
		assert_int_equal(s.m.server.taken, 1);
		assert_true(str_equal(buf_str(&s.m.server.content), buf_str(i == 0 ? &stuffed : &text)));
		assert_int_equal(last, text.n);
		assert_true(told > 60);
		if (i > 0)
			assert_true(str_contains(buf_str(&s.m.server.commands),
			                         STR("BDAT 1048576\r\nBDAT 1048576\r\nBDAT 4")));
		sent_done(&s);
	}
}

static void torn_connections(void **state UNUSED)
{
	for (uint64_t seed = 0; seed < 30; seed++) {
		struct sent s = {.extensions = seed % 3 == 0   ? "PIPELINING"
		                               : seed % 3 == 1 ? "CHUNKING"
		                                               : "",
		                 .torn = true,
		                 .message = "a\r\n.b\r\n",
		                 .rcpts = {{.address = STR("b@y")}, {.address = STR("c@y")}, {.address = STR("d@y")}}};

		sent_send(&s, seed);
		assert_int_equal(s.m.result, OK);
		assert_str(buf_str(&s.m.server.content), seed % 3 == 1 ? "a\r\n.b\r\n" : "a\r\n..b\r\n");
		for (size_t i = 0; i < 3; i++)
			check_rcpt(&s, i, OK, 250, "2.0.0", "Ok: queued");
		sent_done(&s);
	}
}

/* --- what is refused --- */

#define THREE                                                     \
	{                                                         \
		{.address = STR("b@y")}, {.address = STR("c@y")}, \
		{                                                 \
			.address = STR("d@y")                     \
		}                                                 \
	}

static void some_recipients(void **state UNUSED)
{
	static const char *const ways[] = {"", "PIPELINING", "CHUNKING PIPELINING"};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct sent s = {
			.extensions = ways[i],
			.replies = REPLIES({"RCPT TO:<b@y>", "550 5.1.1 no b\r\n"}, {"RCPT TO:<d@y>", "452 full\r\n"}),
			.rcpts = THREE};

		sent_send(&s, 1);
		assert_int_equal(s.m.result, OK);
		check_rcpt(&s, 0, E_PERM, 550, "5.1.1", "no b");
		check_rcpt(&s, 1, OK, 250, "2.0.0", "Ok: queued");
		check_rcpt(&s, 2, E_TEMP, 452, "4.0.0", "full");
		assert_str(buf_str(&s.m.server.content), TEXT);
		assert_true(s.usable);
		sent_done(&s);
	}
}

static void no_recipient(void **state UNUSED)
{
	const struct fake_reply *none = REPLIES({"RCPT", "550 5.1.1 no\r\n"}, {"DATA", "554 5.5.1 nobody\r\n"});
	struct sent s = {.extensions = "", .replies = none, .rcpts = THREE};

	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nRCPT TO:<d@y>\r\nQUIT\r\n", "");
	check_rcpt(&s, 2, E_PERM, 550, "5.1.1", "no");
	assert_true(s.usable);
	sent_done(&s);
	s = (struct sent){.extensions = "PIPELINING", .replies = none};
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", "");
	check_rcpt(&s, 0, E_PERM, 550, "5.1.1", "no");
	assert_true(s.usable);
	sent_done(&s);
	s = (struct sent){.extensions = "PIPELINING CHUNKING", .replies = none};
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nQUIT\r\n", "");
	check_rcpt(&s, 0, E_PERM, 550, "5.1.1", "no");
	sent_done(&s);
}

/* RFC 2920 3.1 */
static void data_accepted_without_recipients(void **state UNUSED)
{
	struct sent s = {.extensions = "PIPELINING",
	                 .replies = REPLIES({"RCPT", "550 5.1.1 no\r\n"}, {".", "554 5.5.1 nobody\r\n"})};

	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", "");
	assert_int_equal(s.m.server.ends, 1);
	check_rcpt(&s, 0, E_PERM, 550, "5.1.1", "no");
	assert_true(s.usable);
	assert_false(s.m.in_doubt);
	sent_done(&s);
	/* Somebody would get an empty message. */
	s = (struct sent){.extensions = "PIPELINING", .replies = REPLIES({"MAIL", "550 5.7.1 not you\r\n"})};
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n", "");
	assert_int_equal(s.m.server.ends, 0);
	check_rcpt(&s, 0, E_PERM, 550, "5.7.1", "not you");
	assert_false(s.usable);
	sent_done(&s);
	/* LMTP says nothing to a message for nobody. */
	s = (struct sent){.extensions = "PIPELINING", .lmtp = true, .replies = REPLIES({"RCPT", "550 5.1.1 no\r\n"})};
	sent_send(&s, 1);
	assert_int_equal(s.m.result, OK);
	assert_int_equal(s.m.server.ends, 0);
	assert_false(s.usable);
	sent_done(&s);
}

static void no_sender(void **state UNUSED)
{
	const struct fake_reply *none = REPLIES({"MAIL", "451 4.7.1 later\r\n"}, {"RCPT", "503 5.5.1 MAIL first\r\n"},
	                                        {"DATA", "503 5.5.1 MAIL first\r\n"});
	struct sent s = {.extensions = "PIPELINING", .replies = none, .rcpts = THREE};

	sent_send(&s, 1);
	assert_int_equal(s.m.result, OK);
	for (size_t i = 0; i < 3; i++)
		check_rcpt(&s, i, E_TEMP, 451, "4.7.1", "later");
	assert_true(s.usable);
	sent_done(&s);
	s = (struct sent){.extensions = "", .replies = none};
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nQUIT\r\n", "");
	sent_done(&s);
}

static void the_data_is_refused(void **state UNUSED)
{
	struct sent s = {.extensions = "PIPELINING", .replies = REPLIES({"DATA", "451 4.3.0 later\r\n"})};

	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", "");
	check_rcpt(&s, 0, E_TEMP, 451, "4.3.0", "later");
	sent_done(&s);
	s = (struct sent){.extensions = "PIPELINING", .replies = REPLIES({".", "554 5.7.1 spam\r\n"})};
	CHECK(&s, OK, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n", TEXT);
	check_rcpt(&s, 0, E_PERM, 554, "5.7.1", "spam");
	assert_true(s.usable);
	sent_done(&s);
	s = (struct sent){.extensions = "CHUNKING", .replies = REPLIES({"BDAT", "554 5.7.1 spam\r\n"})};
	sent_send(&s, 1);
	check_rcpt(&s, 0, E_PERM, 554, "5.7.1", "spam");
	assert_true(s.usable);
	sent_done(&s);
}

static void a_chunk_is_refused(void **state UNUSED)
{
	static const char *const ways[] = {"CHUNKING", "CHUNKING PIPELINING"};
	BUF(text, 4 << 20);

	while (text.n < 3 << 20)
		buf_puts(&text, "a line of text\r\n");
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct sent s = {.extensions = ways[i],
		                 .replies = REPLIES({"BDAT 1048576\r\n", "552 5.3.4 too much\r\n"}),
		                 .send = {.message = buf_str(&text)}};

		sent_send(&s, 1);
		assert_int_equal(s.m.result, OK);
		check_rcpt(&s, 0, E_PERM, 552, "5.3.4", "too much");
		assert_int_equal(s.m.server.taken, 0);
		assert_false(s.m.in_doubt);
		assert_int_equal(s.usable, i == 0); /* with PIPELINING it was in the midst of another one */
		sent_done(&s);
	}
}

static void lmtp(void **state UNUSED)
{
	struct sent s = {.extensions = "PIPELINING",
	                 .lmtp = true,
	                 .replies = REPLIES({"RCPT TO:<c@y>", "550 5.1.1 no c\r\n"}),
	                 .rcpts = THREE};

	sent_send(&s, 1);
	assert_int_equal(s.m.result, OK);
	check_rcpt(&s, 0, OK, 250, "2.0.0", "Ok: queued");
	check_rcpt(&s, 1, E_PERM, 550, "5.1.1", "no c");
	check_rcpt(&s, 2, OK, 250, "2.0.0", "Ok: queued");
	assert_true(s.usable);
	sent_done(&s);
	/* One answer for two: the other's is not known. */
	s = (struct sent){.extensions = "CHUNKING", .lmtp = true, .replies = REPLIES({"BDAT", NULL}), .rcpts = THREE};
	sent_send(&s, 1);
	assert_int_equal(s.m.result, E_CLOSED);
	assert_true(s.m.in_doubt);
	sent_done(&s);
}

/* --- 421 at any moment, and what else ends it --- */

static void closing_servers(void **state UNUSED)
{
	static const char *const at[] = {"MAIL", "RCPT TO:<c", "DATA", "."};
	static const char *const ways[] = {"", "PIPELINING"};

	for (size_t i = 0; i < ARRAY_LEN(at) * ARRAY_LEN(ways); i++) {
		struct sent s = {.extensions = ways[i / ARRAY_LEN(at)],
		                 .replies = REPLIES({at[i % ARRAY_LEN(at)], "421 4.3.2 shutting down\r\n"}),
		                 .rcpts = THREE};

		sent_send(&s, 1);
		assert_int_equal(s.m.result, OK);
		for (size_t r = 0; r < 3; r++)
			check_rcpt(&s, r, E_TEMP, 421, "4.3.2", "shutting down");
		assert_false(s.usable);
		assert_false(s.m.in_doubt);
		assert_int_equal(s.m.server.taken, 0);
		sent_done(&s);
	}
}

/* What stood before the fault stays: one recipient was refused for good. */
static void replies_that_do_not_fit(void **state UNUSED)
{
	static const struct {
		const char *command, *reply;
		bool ended;
	} cases[] = {
		{"MAIL", "354 go\r\n", false}, {"RCPT TO:<c", "334 x\r\n", false},
		{"DATA", "250 ok\r\n", false}, {"DATA", "xyz\r\n", false},
		{".", "354 go\r\n", true},     {".", "250-a\r\n550 b\r\n", true},
		{".", "000 x\r\n", true},      {"DATA", "354 go\r\n250 taken\r\n", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sent s = {
			.extensions = "PIPELINING",
			.replies = REPLIES({cases[i].command, cases[i].reply}, {"RCPT TO:<b", "550 5.1.1 no\r\n"}),
			.rcpts = THREE};

		sent_send(&s, 1);
		assert_int_equal(s.m.result, E_SYNTAX);
		assert_int_equal(s.m.in_doubt, cases[i].ended);
		assert_int_equal(s.rcpts[0].result, i == 0 ? E_SYNTAX : E_PERM);
		assert_int_equal(s.rcpts[1].result, E_SYNTAX);
		assert_int_equal(s.rcpts[1].code, 0);
		assert_int_equal(s.rcpts[2].result, E_SYNTAX);
		assert_false(s.usable);
		sent_done(&s);
	}
}

/* A server that says no before it heard all. Before it was asked at all it is out of step. */
static void refused_before_the_end(void **state UNUSED)
{
	static const char *const ways[] = {"PIPELINING", "CHUNKING PIPELINING"};
	const struct fake_reply *replies[] = {REPLIES({"DATA", "354 go\r\n552 5.3.4 too much\r\n"}),
	                                      REPLIES({"RCPT", "250 ok\r\n552 5.3.4 too much\r\n"})};
	BUF(text, 4 << 20);

	while (text.n < 3 << 20)
		buf_puts(&text, "a line of text\r\n");
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct sent s = {.extensions = ways[i], .replies = replies[i], .send = {.message = buf_str(&text)}};

		sent_send(&s, 1);
		assert_int_equal(s.m.result, i == 0 ? OK : E_SYNTAX);
		if (i == 0)
			check_rcpt(&s, 0, E_PERM, 552, "5.3.4", "too much");
		assert_false(s.m.in_doubt);
		assert_false(s.usable);
		assert_int_equal(s.m.server.ends, 0);
		sent_done(&s);
	}
}

/* --- several transactions --- */

static void twice(struct meeting *m, struct smtp_client *c)
{
	meeting_send(m, c);
	if (m->result == OK)
		m->result = smtp_client_send(c, &m->send, &m->arena, &m->in_doubt);
}

static void reset_only_when_needed(void **state UNUSED)
{
	const struct {
		const char *extensions;
		const struct fake_reply *replies;
		const char *want;
	} cases[] = {
		{"PIPELINING", NULL, "MAIL RCPT DATA MAIL RCPT DATA QUIT "},
		{"PIPELINING CHUNKING", (const struct fake_reply[]){{"RCPT", "550 no\r\n"}, {NULL, NULL}},
	         "MAIL RCPT RSET MAIL RCPT QUIT "},
		{"", (const struct fake_reply[]){{"RCPT", "550 no\r\n"}, {NULL, NULL}},
	         "MAIL RCPT RSET MAIL RCPT QUIT "},
		{"PIPELINING", (const struct fake_reply[]){{"DATA", "451 no\r\n"}, {NULL, NULL}},
	         "MAIL RCPT DATA RSET MAIL RCPT DATA QUIT "},
		{"PIPELINING",
	         (const struct fake_reply[]){
			 {"MAIL", "451 no\r\n"}, {"RCPT", "503 no\r\n"}, {"DATA", "503 no\r\n"}, {NULL, NULL}},
	         "MAIL RCPT DATA MAIL RCPT DATA QUIT "},
		{"PIPELINING", (const struct fake_reply[]){{".", "550 no\r\n"}, {NULL, NULL}},
	         "MAIL RCPT DATA MAIL RCPT DATA QUIT "},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct smtp_send_rcpt r = {.address = STR("b@y")};
		struct meeting m = {.server = {.extensions = cases[i].extensions, .replies = cases[i].replies},
		                    .act = twice,
		                    .send = {.sender = STR("a@x"), .message = STR(TEXT), .rcpts = &r, .rcpts_n = 1}};
		BUF(verbs, 1000);

		assert_int_equal(meet(&m, 1), OK);
		assert_int_equal(m.result, OK);
		str lines = buf_str(&m.server.commands), line;
		while (str_cut(lines, '\n', &line, &lines))
			if (!str_starts(line, STR("EHLO")))
				buf_printf(&verbs, STR_FMT " ", STR_ARG(str_take(line, 4)));
		assert_str(buf_str(&verbs), cases[i].want);
		meeting_end(&m);
	}
}

static void verify(struct meeting *m, struct smtp_client *c)
{
	m->result = smtp_client_greet(c);
	if (m->result == OK)
		m->result = smtp_client_verify(c, STR("a@x"), m->send.rcpts, m->send.rcpts_n, &m->arena);
	if (m->result == OK)
		m->result = smtp_client_reset(c);
}

static void who_would_be_taken(void **state UNUSED)
{
	struct smtp_send_rcpt r[2] = {{.address = STR("b@y")}, {.address = STR("c@y")}};
	struct meeting m = {.server = {.extensions = "PIPELINING SIZE",
	                               .replies = REPLIES({"RCPT TO:<b@y>", "550 5.1.1 no b\r\n"})},
	                    .act = verify,
	                    .send = {.rcpts = r, .rcpts_n = 2}};

	assert_int_equal(meet(&m, 1), OK);
	assert_int_equal(m.result, OK);
	assert_str(buf_str(&m.server.commands),
	           HELLO "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nRSET\r\nQUIT\r\n");
	assert_int_equal(r[0].result, E_PERM);
	assert_str(r[0].reply, "no b");
	assert_int_equal(r[1].result, OK);
	assert_int_equal(r[1].code, 250);
	meeting_end(&m);
}

/* As many recipients as do not fit into one group. */
static void many_recipients(void **state UNUSED)
{
	enum { MANY = 1000 };
	static struct smtp_send_rcpt r[MANY];
	static char names[MANY][16];
	struct meeting m = {.server = {.extensions = "PIPELINING", .replies = REPLIES({"RCPT TO:<u77", "550 no\r\n"})},
	                    .act = meeting_send,
	                    .send = {.sender = STR("a@x"), .message = STR(TEXT), .rcpts = r, .rcpts_n = MANY}};

	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "u%zu@y", i);
		r[i].address = str_from(names[i]);
	}
	assert_int_equal(meet(&m, 1), OK);
	assert_int_equal(m.result, OK);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(r[i].result, i == 77 || i / 10 == 77 ? E_PERM : OK);
	assert_true(m.server.groups >= 5 && m.server.groups <= 9);
	meeting_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message),
		cmocka_unit_test(a_message_in_two_writes),
		cmocka_unit_test(a_message_in_a_chunk),
		cmocka_unit_test(dots),
		cmocka_unit_test(large_messages),
		cmocka_unit_test(torn_connections),
		cmocka_unit_test(some_recipients),
		cmocka_unit_test(no_recipient),
		cmocka_unit_test(data_accepted_without_recipients),
		cmocka_unit_test(no_sender),
		cmocka_unit_test(the_data_is_refused),
		cmocka_unit_test(a_chunk_is_refused),
		cmocka_unit_test(lmtp),
		cmocka_unit_test(closing_servers),
		cmocka_unit_test(replies_that_do_not_fit),
		cmocka_unit_test(refused_before_the_end),
		cmocka_unit_test(reset_only_when_needed),
		cmocka_unit_test(who_would_be_taken),
		cmocka_unit_test(many_recipients),
	};

	return cmocka_run_group_tests_name("client_send", tests, NULL, NULL);
}
