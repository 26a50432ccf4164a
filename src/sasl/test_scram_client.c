/* SPDX-License-Identifier: ISC */
#include "sasl/scram_client.h"

#include "base/encode.h"
#include "base/test.h"

#define MEMORY (64 << 10)

/* RFC 5802 5 and RFC 7677 3: user "user", password "pencil". */
static const struct example {
	enum crypto_hash hash;
	const char *nonce, *first, *challenge, *final, *answer;
} examples[] = {
	{CRYPTO_SHA1, "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
         "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
         "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
         "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
	{CRYPTO_SHA256, "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
         "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
         "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
         "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
};

static void the_rfcs_examples(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		const struct example *x = &examples[i];
		ARENA(a, MEMORY);
		BUF(out, 1000);
		struct scram_client s = {.memory = &a, .hash = x->hash, .user = STR("user"), .password = STR("pencil")};

		assert_int_equal(scram_client_first(&s, str_from(x->nonce), &out), OK);
		assert_str(buf_str(&out), x->first);
		buf_reset(&out);
		assert_int_equal(scram_client_verify(&s, str_from(x->answer)), E_DENIED); /* nothing is proven yet */
		assert_int_equal(scram_client_final(&s, str_from(x->challenge), &out), OK);
		assert_str(buf_str(&out), x->final);
		assert_int_equal(scram_client_verify(&s, str_from(x->answer)), OK);
	}
}

/* --- against our own server --- */

static const struct auth_binding bindings[] = {{STR("tls-exporter"), STR("\x01\x02\x03")},
                                               {STR("tls-server-end-point"), STR("x")}};

struct party {
	const char *user, *password, *servers; /* servers: the password that the server has */
	const struct auth_binding *binding;    /* the client's */
	bool could_bind, server_binds;
	err first, final, verify; /* what comes of it */
	bool proven;
};

static void meet(const struct party *p)
{
	ARENA(a, MEMORY);
	BUF(said, 4000);
	BUF(answer, 200);
	struct scram_client c = {.memory = &a,
	                         .hash = CRYPTO_SHA256,
	                         .user = str_from(p->user),
	                         .password = str_from(p->password),
	                         .binding = p->binding,
	                         .could_bind = p->could_bind};
	struct scram s = {.memory = &a,
	                  .hash = CRYPTO_SHA256,
	                  .plus = p->binding != NULL,
	                  .plus_offered = p->server_binds,
	                  .bindings = bindings,
	                  .bindings_n = p->server_binds ? 2 : 0};
	struct scram_verifier v;

	assert_int_equal(scram_verifier_make(CRYPTO_SHA256, str_from(p->servers), STR("salt"), 4096, &v), OK);
	assert_int_equal(scram_client_first(&c, STR("ours"), &said), OK);
	assert_int_equal(scram_first(&s, buf_str(&said)), p->first);
	if (p->first != OK)
		return;
	assert_str(s.user, p->user);
	assert_int_equal(scram_challenge(&s, scram_verifier_salt(&v), v.rounds, STR("theirs")), OK);
	buf_reset(&said);
	assert_int_equal(scram_client_final(&c, s.challenge, &said), OK);
	assert_int_equal(scram_final(&s, buf_str(&said)), p->final);
	assert_int_equal(p->final == OK && scram_proves(&s, &v, &answer), p->proven);
	if (p->final == OK)
		assert_int_equal(scram_client_verify(&c, buf_str(&answer)), p->verify);
}

static void with_our_own_server(void **state UNUSED)
{
	static const struct auth_binding other = {STR("tls-exporter"), STR("somebody else's")};
	static const struct party parties[] = {
		{"user", "pencil", "pencil", NULL, false, false, OK, OK, OK, true},
		{"a,b=\xc3\xa4@x", "p\xc3\xa4sse=,", "p\xc3\xa4sse=,", NULL, false, false, OK, OK, OK, true},
		{"user", "pa\xcc\x88sse", "p\xc3\xa4sse", NULL, false, false, OK, OK, OK, true}, /* SASLprep */
		{"user", "\xff", "\xff", NULL, false, false, OK, OK, OK, true},
		{"user", "pencil", "pencil", &bindings[0], false, true, OK, OK, OK, true},
		{"user", "pencil", "pencil", &bindings[1], false, true, OK, OK, OK, true},
		{"user", "pen", "pencil", NULL, false, false, OK, OK, E_DENIED, false},
		{"user", "pencil", "pencil", NULL, true, false, OK, OK, OK, true},
		{"user", "pencil", "pencil", NULL, true, true, E_DENIED, OK, OK, false},    /* -PLUS was hidden */
		{"user", "pencil", "pencil", &other, false, true, OK, E_DENIED, OK, false}, /* somebody in between */
	};

	for (size_t i = 0; i < ARRAY_LEN(parties); i++)
		meet(&parties[i]);
}

/* --- hostile servers --- */

static err challenged(const char *challenge)
{
	ARENA(a, MEMORY);
	BUF(out, 4000);
	struct scram_client s = {.memory = &a, .hash = CRYPTO_SHA256, .user = STR("u"), .password = STR("p")};

	assert_int_equal(scram_client_first(&s, STR("abc"), &out), OK);
	return scram_client_final(&s, str_from(challenge), &out);
}

static void challenges(void **state UNUSED)
{
	static const char *const malformed[] = {"",
	                                        "r=abcd",
	                                        "r=abcd,s=c2FsdA==",
	                                        "s=c2FsdA==,r=abcd,i=4096",
	                                        "r=abcd,s=c2FsdA==,i=",
	                                        "r=abcd,s=c2FsdA==,i=-1",
	                                        "r=abcd,s=c2FsdA==,i=4096x",
	                                        "r=abcd,s=c2Fsd,i=4096",
	                                        "m=1,r=abcd,s=c2FsdA==,i=4096",
	                                        "e=other-error"};
	static const char *const denied[] = {"r=abc,s=c2FsdA==,i=4096",
	                                     "r=abxd,s=c2FsdA==,i=4096",
	                                     "r=,s=c2FsdA==,i=4096",
	                                     "r=abcd\x01,s=c2FsdA==,i=4096",
	                                     "r=abcd,s=c2FsdA==,i=1",
	                                     "r=abcd,s=c2FsdA==,i=4095",
	                                     "r=abcd,s=c2FsdA==,i=1000001",
	                                     "r=abcd,s=c2FsdA==,i=18446744073709551615",
	                                     "r=abcd,s=,i=4096"};
	char longer[SCRAM_MESSAGE_MAX + 100] = "r=abc";

	assert_int_equal(challenged("r=abcd,s=c2FsdA==,i=4096"), OK);
	assert_int_equal(challenged("r=abcd,s=c2FsdA==,i=4096,x=extension"), OK);
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		if (challenged(malformed[i]) != E_SYNTAX)
			fail_msg("%s", malformed[i]);
	for (size_t i = 0; i < ARRAY_LEN(denied); i++)
		if (challenged(denied[i]) != E_DENIED)
			fail_msg("%s", denied[i]);
	memset(longer + strlen(longer), 'x', sizeof(longer) - 1 - strlen(longer));
	assert_int_equal(challenged(longer), E_SYNTAX);
}

static void servers_that_prove_nothing(void **state UNUSED)
{
	const struct example *x = &examples[1];
	ARENA(a, MEMORY);
	BUF(out, 1000);
	struct scram_client s = {.memory = &a, .hash = x->hash, .user = STR("user"), .password = STR("pencil")};

	assert_int_equal(scram_client_first(&s, str_from(x->nonce), &out), OK);
	assert_int_equal(scram_client_final(&s, str_from(x->challenge), &out), OK);
	assert_int_equal(scram_client_verify(&s, STR("")), E_SYNTAX);
	assert_int_equal(scram_client_verify(&s, STR("v=!")), E_SYNTAX);
	assert_int_equal(scram_client_verify(&s, STR("v=")), E_DENIED);
	assert_int_equal(scram_client_verify(&s, STR("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8=")), E_DENIED);
	assert_int_equal(scram_client_verify(&s, STR("e=invalid-proof")), E_DENIED);
	assert_int_equal(scram_client_verify(&s, str_from(x->answer)), OK);
}

static void names(void **state UNUSED)
{
	static const char *const bad[] = {"", "a\nb", "a\x7f", "\xff"};
	char longer[SCRAM_MESSAGE_MAX + 1] = "";

	memset(longer, 'x', sizeof(longer) - 1);
	for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
		ARENA(a, MEMORY);
		BUF(out, 4000);
		struct scram_client s = {.memory = &a, .user = str_from(i < ARRAY_LEN(bad) ? bad[i] : longer)};

		assert_int_equal(scram_client_first(&s, STR("abc"), &out), i < ARRAY_LEN(bad) ? E_SYNTAX : E_LIMIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_examples),
		cmocka_unit_test(with_our_own_server),
		cmocka_unit_test(challenges),
		cmocka_unit_test(servers_that_prove_nothing),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("scram_client", tests, NULL, NULL);
}
