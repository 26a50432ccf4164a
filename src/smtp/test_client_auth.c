/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/encode.h"
#include "sasl/scram.h"
#include "smtp/client_fake.h"

#define REPLIES(...)                \
	(const struct fake_reply[]) \
	{                           \
		__VA_ARGS__,        \
		{                   \
			NULL, NULL  \
		}                   \
	}
#define HELLO "EHLO client.example\r\n"

struct login {
	const char *user, *password;
	bool plain_allowed;
	err result;
	bool usable;
	struct smtp_reply reply; /* but for its text */
};

static void log_in(struct meeting *m, struct smtp_client *c)
{
	struct login *l = m->ctx;

	m->greeted = smtp_client_greet(c);
	l->result = smtp_client_auth(c, str_from(l->user), str_from(l->password), l->plain_allowed);
	l->usable = smtp_client_usable(c);
	l->reply = *smtp_client_reply(c);
}

static void check(const char *extensions, const struct fake_reply *replies, bool plain_allowed, err want,
                  const char *said)
{
	struct login l = {.user = "user", .password = "pencil", .plain_allowed = plain_allowed};
	struct meeting m = {.server = {.extensions = extensions, .replies = replies}, .act = log_in, .ctx = &l};

	assert_int_equal(meet(&m, 1), OK);
	assert_str(buf_str(&m.server.commands), said);
	assert_int_equal(l.result, want);
	meeting_end(&m);
}

static void plain(void **state UNUSED)
{
	const struct fake_reply *good = REPLIES({"AUTH PLAIN", "235 2.7.0 welcome\r\n"});

	check("AUTH/LOGIN/PLAIN", good, true, OK, HELLO "AUTH PLAIN AHVzZXIAcGVuY2ls\r\nQUIT\r\n");
	check("AUTH/PLAIN", good, false, E_NOT_FOUND, HELLO "QUIT\r\n"); /* not without TLS */
	check("AUTH=PLAIN", good, true, OK, HELLO "AUTH PLAIN AHVzZXIAcGVuY2ls\r\nQUIT\r\n");
	check("AUTH/PLAIN", REPLIES({"AUTH PLAIN", "535 5.7.8 no\r\n"}), true, E_PERM,
	      HELLO "AUTH PLAIN AHVzZXIAcGVuY2ls\r\nQUIT\r\n");
	check("AUTH/PLAIN", REPLIES({"AUTH PLAIN", "454 4.7.0 later\r\n"}), true, E_TEMP,
	      HELLO "AUTH PLAIN AHVzZXIAcGVuY2ls\r\nQUIT\r\n");
	check("AUTH/PLAIN", REPLIES({"AUTH PLAIN", "334 more\r\n"}), true, E_SYNTAX,
	      HELLO "AUTH PLAIN AHVzZXIAcGVuY2ls\r\n");
}

static void login(void **state UNUSED)
{
	check("AUTH/LOGIN",
	      REPLIES({"AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"}, {"dXNlcg==", "334 what?\r\n"},
	              {"cGVuY2ls", "235 ok\r\n"}),
	      true, OK, HELLO "AUTH LOGIN\r\ndXNlcg==\r\ncGVuY2ls\r\nQUIT\r\n");
	check("AUTH/LOGIN", REPLIES({"AUTH LOGIN", "334 x\r\n"}, {"dXNlcg==", "535 no\r\n"}), true, E_PERM,
	      HELLO "AUTH LOGIN\r\ndXNlcg==\r\nQUIT\r\n");
}

static void nothing_in_common(void **state UNUSED)
{
	check("", NULL, true, E_NOT_FOUND, HELLO "QUIT\r\n");
	check("AUTH/GSSAPI/NTLM/SCRAM-SHA-1", NULL, true, E_NOT_FOUND, HELLO "QUIT\r\n");
	check("AUTH/SCRAM-SHA-256-PLUS", NULL, true, E_NOT_FOUND, HELLO "QUIT\r\n"); /* no channel to bind to */
}

static void names_and_passwords(void **state UNUSED)
{
	static const struct {
		const char *user, *password;
		err want;
	} cases[] = {
		{"", "x", E_SYNTAX},
		{"a\nb", "x", E_SYNTAX},
		{"a", "", OK},
		{"a b", "x\r\ny", OK},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct login l = {.user = cases[i].user, .password = cases[i].password, .plain_allowed = true};
		struct meeting m = {.server = {.extensions = "AUTH/PLAIN"}, .act = log_in, .ctx = &l};

		assert_int_equal(meet(&m, 1), OK);
		assert_int_equal(l.result, cases[i].want);
		meeting_end(&m);
	}
}

/* --- SCRAM, with our own server's half behind it --- */

enum trick {
	HONEST,
	LETS_IN,
	WRONG_PROOF,
	FEW_ROUNDS,
	ANOTHER_NONCE,
	NO_BASE64,
	SEVERAL_LINES,
	ASKS_ON,
	ENDLESS_CHALLENGE
};

struct scram_server {
	enum trick trick;
	struct arena memory;
	struct scram scram;
	struct scram_verifier verifier;
	int step;
	struct buf reply;
};

static const char *reply_text(struct scram_server *s, int code, str challenge)
{
	buf_reset(&s->reply);
	buf_printf(&s->reply, "%d ", code);
	base64_encode(&s->reply, challenge);
	buf_puts(&s->reply, "\r\n");
	buf_putc(&s->reply, '\0');
	return s->reply.p;
}

static const char *first(struct scram_server *s, str response)
{
	uint32_t rounds = s->trick == FEW_ROUNDS ? 10 : s->verifier.rounds;

	if (scram_first(&s->scram, response) != OK)
		return "535 5.7.8 no\r\n";
	if (s->trick == ANOTHER_NONCE)
		s->scram.nonce = STR("another");
	if (scram_challenge(&s->scram, scram_verifier_salt(&s->verifier), rounds, STR("theirs")) != OK)
		abort();
	switch (s->trick) {
	case LETS_IN:
		return "235 2.7.0 come in\r\n";
	case NO_BASE64:
		return "334 !!\r\n";
	case SEVERAL_LINES:
		return "334-cj1h\r\n334 cj1h\r\n";
	case ENDLESS_CHALLENGE:
		buf_reset(&s->reply);
		buf_puts(&s->reply, "334 ");
		for (int i = 0; i < 20000; i++)
			buf_putc(&s->reply, 'A');
		buf_puts(&s->reply, "\r\n");
		buf_putc(&s->reply, '\0');
		return s->reply.p;
	default:
		return reply_text(s, 334, s->scram.challenge);
	}
}

static const char * final(struct scram_server *s, str response)
{
	BUF(answer, 200);

	if (scram_final(&s->scram, response) != OK || !scram_proves(&s->scram, &s->verifier, &answer))
		return "535 5.7.8 no\r\n";
	if (s->trick == WRONG_PROOF)
		answer.p[5] = answer.p[5] == 'A' ? 'B' : 'A';
	return reply_text(s, 334, buf_str(&answer));
}

static const char *think(struct fake_server *f, str line)
{
	struct scram_server *s = f->ctx;
	BUF(response, 4000);
	str text = str_trim(line);

	if (str_equal(text, STR("*")))
		return "501 5.7.0 cancelled\r\n";
	if (str_starts(text, STR("AUTH SCRAM-SHA-256 ")))
		text = str_drop(text, sizeof("AUTH SCRAM-SHA-256 ") - 1);
	else if (s->step == 0)
		return NULL;
	if (base64_decode(&response, text) != OK)
		return "501 5.5.2 no base64\r\n";
	switch (s->step++) {
	case 0:
		return first(s, buf_str(&response));
	case 1:
		return final(s, buf_str(&response));
	default:
		return s->trick == ASKS_ON ? "334 \r\n" : "235 2.7.0 welcome\r\n";
	}
}

static struct login scram(enum trick trick, const char *password)
{
	struct login l = {.user = "user", .password = password};
	struct scram_server s = {.trick = trick, .memory = ARENA_INIT(1 << 16), .reply = BUF_INIT(1 << 16)};
	struct meeting m = {.server = {.extensions = "AUTH/PLAIN/SCRAM-SHA-256", .think = think, .ctx = &s},
	                    .act = log_in,
	                    .ctx = &l};

	s.scram = (struct scram){.memory = &s.memory, .hash = CRYPTO_SHA256};
	assert_int_equal(scram_verifier_make(CRYPTO_SHA256, STR("pencil"), STR("salt"), 4096, &s.verifier), OK);
	assert_int_equal(meet(&m, 7), OK);
	assert_false(str_contains(buf_str(&m.server.commands), STR("AUTH PLAIN")));
	meeting_end(&m);
	buf_free(&s.reply);
	arena_free(&s.memory);
	return l;
}

static void scram_with_our_own_server(void **state UNUSED)
{
	struct login l = scram(HONEST, "pencil");

	assert_int_equal(l.result, OK);
	assert_true(l.usable);
	l = scram(HONEST, "pen"); /* and PLAIN is not tried then */
	assert_int_equal(l.result, E_PERM);
	assert_int_equal(l.reply.code, 535);
	assert_string_equal(l.reply.status, "5.7.8");
	assert_true(l.usable);
}

static void scram_with_others(void **state UNUSED)
{
	static const struct {
		enum trick trick;
		err want;
		bool usable;
	} cases[] = {
		{LETS_IN, E_DENIED, false},      {WRONG_PROOF, E_DENIED, false},       {FEW_ROUNDS, E_DENIED, true},
		{ANOTHER_NONCE, E_DENIED, true}, {NO_BASE64, E_SYNTAX, true},          {SEVERAL_LINES, E_SYNTAX, true},
		{ASKS_ON, E_SYNTAX, false},      {ENDLESS_CHALLENGE, E_SYNTAX, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct login l = scram(cases[i].trick, "pencil");

		if (l.result != cases[i].want || l.usable != cases[i].usable)
			fail_msg("case %zu: %d %d", i, (int)l.result, l.usable);
	}
}

static void every_step(void **state UNUSED)
{
	for (size_t at = 3; at <= 5; at++)
		for (enum fault f = FAULT_CLOSE; f < FAULT_COUNT; f++) {
			struct login l = {.user = "user", .password = "pencil", .plain_allowed = true};
			struct meeting m = {.server = {.extensions = "AUTH/LOGIN",
			                               .replies = REPLIES({"AUTH", "334 x\r\n"}, {"dXNl", "334 y\r\n"},
			                                                  {"cGVu", "235 z\r\n"}),
			                               .fault_at = at,
			                               .fault = f},
			                    .act = log_in,
			                    .ctx = &l};

			assert_int_equal(meet(&m, 1), OK);
			assert_int_equal(l.result, f == FAULT_STALL || f == FAULT_HALF_STALL ? E_TIMEOUT : E_CLOSED);
			assert_false(l.usable);
			meeting_end(&m);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(login),
		cmocka_unit_test(nothing_in_common),
		cmocka_unit_test(names_and_passwords),
		cmocka_unit_test(scram_with_our_own_server),
		cmocka_unit_test(scram_with_others),
		cmocka_unit_test(every_step),
	};

	return cmocka_run_group_tests_name("client_auth", tests, NULL, NULL);
}
