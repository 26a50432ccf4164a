/* SPDX-License-Identifier: ISC */
#include "sasl/scram.h"

#include "base/encode.h"
#include "base/test.h"

#define MEMORY (64 << 10)

static str decoded(const char *base64, struct buf *out)
{
	buf_reset(out);
	assert_int_equal(base64_decode(out, str_from(base64)), OK);
	return buf_str(out);
}

/* RFC 5802 5 and RFC 7677 3: user "user", password "pencil". */
static const struct example {
	enum crypto_hash hash;
	const char *first, *server_nonce, *salt, *challenge, *final, *answer;
} examples[] = {
	{CRYPTO_SHA1, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92",
         "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
         "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
         "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
	{CRYPTO_SHA256, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
         "W22ZaJ0SNY7soEsUEjb6gQ==",
         "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
         "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
         "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
         "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
};

static void check_example(const struct example *x, const char *password, bool right)
{
	ARENA(a, MEMORY);
	BUF(salt, 100);
	BUF(out, 200);
	struct scram s = {.memory = &a, .hash = x->hash};
	struct scram_verifier v;

	assert_int_equal(scram_verifier_make(x->hash, str_from(password), decoded(x->salt, &salt), 4096, &v), OK);
	assert_int_equal(scram_first(&s, str_from(x->first)), OK);
	assert_str(s.user, "user");
	assert_str(s.authorization, "");
	assert_int_equal(scram_challenge(&s, scram_verifier_salt(&v), v.rounds, str_from(x->server_nonce)), OK);
	assert_str(s.challenge, x->challenge);
	assert_int_equal(scram_final(&s, str_from(x->final)), OK);
	assert_int_equal(scram_proves(&s, &v, &out), right);
	if (right)
		assert_str(buf_str(&out), x->answer);
}

static void the_rfcs_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		check_example(&examples[i], "pencil", true);
		check_example(&examples[i], "pencils", false);
		check_example(&examples[i], "", false);
	}
}

static void verifiers_as_text(void **state)
{
	static const char *const bad[] = {
		"",
		"SCRAM-SHA-256",
		"SCRAM-SHA-256$0:MTIz$MTIz:MTIz",
		"SCRAM-SHA-512$1:MTIz$MTIz:MTIz",
		"SCRAM-SHA-256$4096:$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"SCRAM-SHA-256$99999999:MTIz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
	struct scram_verifier v, again;
	(void)state;

	for (int i = 0; i < 2; i++) {
		enum crypto_hash hash = i == 0 ? CRYPTO_SHA1 : CRYPTO_SHA256;
		BUF(text, 400);
		assert_int_equal(scram_verifier_make(hash, STR("pencil"), STR("salt"), 4096, &v), OK);
		scram_verifier_print(&v, &text);
		assert_int_equal(scram_verifier_parse(buf_str(&text), &again), OK);
		assert_int_equal(again.hash, hash);
		assert_int_equal(again.rounds, 4096);
		assert_str(scram_verifier_salt(&again), "salt");
		assert_true(str_equal(crypto_digest_str(&again.stored_key), crypto_digest_str(&v.stored_key)));
		assert_true(str_equal(crypto_digest_str(&again.server_key), crypto_digest_str(&v.server_key)));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(scram_verifier_parse(str_from(bad[i]), &v), E_SYNTAX);
	assert_int_equal(scram_verifier_make(CRYPTO_SHA256, STR("x"), STR(""), 4096, &v), E_LIMIT);
	assert_int_equal(scram_verifier_make(CRYPTO_SHA256, STR("x"), STR("s"), 0, &v), E_LIMIT);
}

/* --- the first message --- */

static struct auth_binding bindings[] = {{STR("tls-exporter"), STR("\x01\x02\x03")},
                                         {STR("tls-server-end-point"), STR("x")}};

static err first(const char *message, bool plus, bool offered)
{
	ARENA(a, MEMORY);
	struct scram s = {.memory = &a, .hash = CRYPTO_SHA256, .plus = plus, .plus_offered = offered};

	if (offered) {
		s.bindings = bindings;
		s.bindings_n = ARRAY_LEN(bindings);
	}
	return scram_first(&s, str_from(message));
}

static void first_messages(void **state)
{
	static const char *const bad[] = {"",
	                                  "n",
	                                  "n,",
	                                  "n,,",
	                                  "n,,n=user",
	                                  "n,,n=user,r=",
	                                  "n,,n=,r=abc",
	                                  "n,,r=abc,n=user",
	                                  "x,,n=user,r=abc",
	                                  "n,,m=1,n=user,r=abc",
	                                  "n,a==,n=user,r=abc",
	                                  "n,a=x",
	                                  "n,n=user,r=abc",
	                                  "n,,n=us=er,r=abc",
	                                  "n,,n=us=2,r=abc",
	                                  "n,,n=user,r=a c",
	                                  "n,,n=user,r=a\x7f",
	                                  "n,,n=\xff,r=abc",
	                                  "n,,n=a\tb,r=abc",
	                                  "p=tls-exporter,,n=user,r=abc",
	                                  "N,,n=user,r=abc"};
	char longer[3000] = "n,,n=user,r=";
	(void)state;

	assert_int_equal(first("n,,n=user,r=abc", false, false), OK);
	assert_int_equal(first("n,a=boss,n=user,r=abc,x=extension", false, true), OK);
	assert_int_equal(first("n,a=,n=user,r=abc", false, false), OK);
	assert_int_equal(first("y,,n=user,r=abc", false, false), OK);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (first(bad[i], false, false) != E_SYNTAX)
			fail_msg("%s", bad[i]);
	memset(longer + strlen(longer), 'x', SCRAM_NONCE_MAX + 1);
	assert_int_equal(first(longer, false, false), E_SYNTAX);
	memset(longer + strlen(longer), 'x', sizeof(longer) - 1 - strlen(longer));
	assert_int_equal(first(longer, false, false), E_SYNTAX);
}

/* RFC 5802 6 */
static void channel_binding_flags(void **state)
{
	(void)state;
	assert_int_equal(first("y,,n=user,r=abc", false, true), E_DENIED); /* somebody has cut -PLUS from our list */
	assert_int_equal(first("p=tls-exporter,,n=user,r=abc", true, true), OK);
	assert_int_equal(first("p=tls-server-end-point,,n=user,r=abc", true, true), OK);
	assert_int_equal(first("p=tls-unique,,n=user,r=abc", true, true), E_DENIED);
	assert_int_equal(first("p=,,n=user,r=abc", true, true), E_DENIED);
	assert_int_equal(first("n,,n=user,r=abc", true, true), E_SYNTAX);
	assert_int_equal(first("y,,n=user,r=abc", true, true), E_SYNTAX);
	assert_int_equal(first("p=tls-exporter,,n=user,r=abc", false, true), E_SYNTAX);
}

static void names_are_decoded(void **state)
{
	ARENA(a, MEMORY);
	struct scram s = {.memory = &a, .hash = CRYPTO_SHA256};
	(void)state;

	assert_int_equal(scram_first(&s, STR("n,a=x=2cy,n=a=2Cb=3D\xc3\xa4,r=abc")), OK);
	assert_str(s.user, "a,b=\xc3\xa4");
	assert_str(s.authorization, "x,y");
}

/* --- the final message --- */

static err final(const char *message)
{
	ARENA(a, MEMORY);
	struct scram s = {.memory = &a, .hash = CRYPTO_SHA1, .plus = true, .bindings = bindings, .bindings_n = 2};

	assert_int_equal(scram_first(&s, STR("p=tls-exporter,,n=user,r=abc")), OK);
	assert_int_equal(scram_challenge(&s, STR("salt"), 4096, STR("def")), OK);
	return scram_final(&s, str_from(message));
}

/* "cD10bHMtZXhwb3J0ZXIsLAECAw==" is "p=tls-exporter,," and the three octets of the binding. */
#define CHANNEL "c=cD10bHMtZXhwb3J0ZXIsLAECAw=="
#define PROOF   ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="

static void final_messages(void **state)
{
	static const char *const malformed[] = {"",
	                                        ",",
	                                        "p=",
	                                        CHANNEL ",r=abcdef",
	                                        CHANNEL ",r=abcdef,p=",
	                                        CHANNEL ",r=abcdef,p=AAAA",
	                                        "c=",
	                                        PROOF,
	                                        CHANNEL PROOF,
	                                        "r=abcdef," CHANNEL PROOF,
	                                        CHANNEL ",r=abcdef,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts",
	                                        CHANNEL ",r=abcdef,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=,x=y"};
	static const char *const denied[] = {CHANNEL ",r=abcde" PROOF, CHANNEL ",r=abcdefg" PROOF,
	                                     CHANNEL ",r=" PROOF,      "c=cD10bHMtZXhwb3J0ZXIsLAECBA==,r=abcdef" PROOF,
	                                     "c=biws,r=abcdef" PROOF,  "c=,r=abcdef" PROOF,
	                                     "c=!,r=abcdef" PROOF};
	(void)state;

	assert_int_equal(final(CHANNEL ",r=abcdef" PROOF), OK);
	assert_int_equal(final(CHANNEL ",r=abcdef,x=extension" PROOF), OK);
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		if (final(malformed[i]) != E_SYNTAX)
			fail_msg("%s", malformed[i]);
	for (size_t i = 0; i < ARRAY_LEN(denied); i++)
		if (final(denied[i]) != E_DENIED)
			fail_msg("%s", denied[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_examples), cmocka_unit_test(verifiers_as_text),
		cmocka_unit_test(first_messages),    cmocka_unit_test(channel_binding_flags),
		cmocka_unit_test(names_are_decoded), cmocka_unit_test(final_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
