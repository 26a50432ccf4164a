/* SPDX-License-Identifier: ISC */
/* Of signatures that prove the same one is enough: RFC 6376 6.1. */
#include "mailauth/dkim.h"

#include "base/test.h"
#include "mailauth/dkim_fake.h"

#define MESSAGE "From: joe@once.example\r\nTo: suzie@example.net\r\nSubject: dinner\r\n\r\nHi.\r\n"

static struct vector_dns dns;
static struct arena memory = ARENA_INIT(64 << 20);
static struct dkim_result *r;
static size_t n;

static int end(void **state UNUSED)
{
	vector_dns_clear(&dns);
	arena_free(&memory);
	return 0;
}

/* Signs with these keys, and verifies with `once`; the keys are given back. */
static void sign_and_verify(struct dkim_key *with, size_t count, void (*spoil)(void), const char *more)
{
	struct dkim_message m = dkim_message_of(STR(MESSAGE));
	struct resolver resolver = vector_resolver(&dns);
	BUF(message, 1 << 20);

	assert_int_equal(dkim_sign(&m, with, count, FAKE_NOW, &memory, &message), OK);
	buf_puts(&message, MESSAGE);
	buf_puts(&message, more);
	spoil();
	struct dkim_options o = {.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER, .once = true};
	m = dkim_message_of(buf_str(&message));
	assert_int_equal(dkim_verify(&m, &o, &memory, &r, &n), OK);
	assert_int_equal(n, count);
	for (size_t i = 0; i < count; i++)
		fake_key_free(&with[i]);
}

static void lose_rsa(void)
{
	vector_dns_add(&dns, STR("rsa._domainkey.once.example"), 0, STR_NONE);
}

static void revoke_rsa(void)
{
	fake_txt(&dns, STR("rsa._domainkey.once.example"), STR("v=DKIM1; p="));
}

static void nothing(void)
{
}

/* What is not good enough is not enough: then the other one is verified. */
static void test_once_fails(void **state UNUSED)
{
	static const struct {
		bool published; /* as it was made */
		const char *record, *added;
		void (*spoil)(void);
		enum auth_result rsa, ed25519;
	} cases[] = {
		{false, "", "", lose_rsa, AUTH_TEMPERROR, AUTH_PASS},
		{false, "", "", revoke_rsa, AUTH_PERMERROR, AUTH_PASS},
		{true, "t=y; ", "", nothing, AUTH_PASS, AUTH_PASS},
		{true, "", "x\r\n", nothing, AUTH_FAIL, AUTH_FAIL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct vector_dns elsewhere = {0};
		struct dkim_key pair[] = {fake_key(&dns, "once.example", "ed", true, ""),
		                          fake_key(cases[i].published ? &dns : &elsewhere, "once.example", "rsa", false,
		                                   cases[i].record)};
		sign_and_verify(pair, 2, cases[i].spoil, cases[i].added);
		assert_int_equal(r[0].result, cases[i].ed25519);
		assert_int_equal(r[1].result, cases[i].rsa);
		assert_false(r[0].skipped || r[1].skipped);
		vector_dns_clear(&elsewhere);
		vector_dns_clear(&dns);
	}
}

/* Each domain is proved by itself; of the same kind the first is enough. */
static void test_once_each(void **state UNUSED)
{
	struct dkim_key several[] = {
		fake_key(&dns, "once.example", "a", true, ""), fake_key(&dns, "other.example", "b", false, ""),
		fake_key(&dns, "sub.once.example", "c", false, ""), fake_key(&dns, "once.example", "d", true, "")};
	sign_and_verify(several, ARRAY_LEN(several), nothing, "");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(r[i].result, AUTH_PASS);
	assert_true(r[3].skipped);
	vector_dns_clear(&dns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_fails),
		cmocka_unit_test(test_once_each),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
