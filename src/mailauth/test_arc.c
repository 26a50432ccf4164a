/* SPDX-License-Identifier: ISC */
#include "mailauth/arc.h"

#include "base/test.h"
#include "mailauth/arc_chain.h"
#include "mailauth/dkim_fake.h"

#define MESSAGE "From: a@example.org\r\nSubject: s\r\n\r\nHello.\r\n"
#define RESULTS "mx.example.net; spf=pass smtp.mailfrom=example.org;\r\n dkim=none"

static struct vector_dns dns;
static struct dkim_key key;
static struct arena memory = ARENA_INIT(256 << 20);
static struct arc_result r;

static int begin(void **state UNUSED)
{
	key = fake_key(&dns, "example.net", "sel", true, "");
	return 0;
}

static int end(void **state UNUSED)
{
	fake_key_free(&key);
	vector_dns_clear(&dns);
	arena_free(&memory);
	return 0;
}

static enum auth_result verify(str message)
{
	struct resolver resolver = vector_resolver(&dns);
	struct dkim_message m = dkim_message_of(message);

	assert_int_equal(
		arc_verify(&m, &(struct dkim_options){.resolver = &resolver, .now = FAKE_NOW, .deadline = RT_NEVER},
	                   &memory, &r),
		OK);
	assert_true(r.result != AUTH_FAIL || r.why.n > 0);
	return r.result;
}

/* `message` with a set of ours, as r says of it. */
static str seal(str message)
{
	struct dkim_message m = dkim_message_of(message);
	BUF(out, 1 << 20);

	assert_int_equal(arc_seal(&m, &r, &key, STR(RESULTS), FAKE_NOW, &memory, &out), OK);
	buf_put(&out, message);
	return arena_str(&memory, buf_str(&out));
}

static str seal_again(str message)
{
	verify(message);
	return seal(message);
}

static void test_none(void **state UNUSED)
{
	assert_int_equal(verify(STR(MESSAGE)), AUTH_NONE);
	assert_int_equal(verify(STR("")), AUTH_NONE);
}

static void test_chain(void **state UNUSED)
{
	str message = seal_again(seal_again(STR(MESSAGE)));

	assert_int_equal(verify(message), AUTH_PASS);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.oldest_pass, 0);
	assert_str(r.sets[0].sealer, "example.net");
	assert_str(r.sets[1].results, "mx.example.net; spf=pass smtp.mailfrom=example.org; dkim=none");
}

/* What a mailing list does: it changes the message, then seals it. */
static void test_oldest_pass(void **state UNUSED)
{
	str first = seal_again(STR(MESSAGE));

	verify(first);
	str message = seal(arena_printf(&memory, STR_FMT "footer\r\n", STR_ARG(first)));
	assert_int_equal(verify(message), AUTH_PASS);
	assert_int_equal(r.oldest_pass, 2);
}

/* RFC 8617 5.1.2, 5.1 step 2 */
static void test_broken(void **state UNUSED)
{
	str changed = arena_printf(&memory, STR_FMT "footer\r\n", STR_ARG(seal_again(STR(MESSAGE))));

	assert_int_equal(verify(changed), AUTH_FAIL);
	assert_int_equal(r.n, 0);
	str over = seal(changed);
	assert_true(str_contains(over, STR("cv=fail")));
	assert_int_equal(verify(over), AUTH_FAIL);
	str same = seal(over);
	assert_int_equal(same.n, over.n);
}

static void test_full(void **state UNUSED)
{
	str message = STR(MESSAGE);
	BUF(out, 1 << 20);

	for (int i = 0; i < ARC_SETS_MAX; i++) {
		r = (struct arc_result){.result = i == 0 ? AUTH_NONE : AUTH_PASS};
		message = seal(message);
	}
	size_t asked = dns.asked;
	assert_int_equal(verify(message), AUTH_PASS);
	assert_int_equal(r.n, ARC_SETS_MAX);
	assert_int_equal(dns.asked, asked + 1);
	struct dkim_message m = dkim_message_of(message);
	assert_int_equal(arc_seal(&m, &r, &key, STR(RESULTS), FAKE_NOW, &memory, &out), E_LIMIT);
}

/* A set without an end of the chain, one too many, one twice, a gap: none of them is looked at further. */
static void test_structure(void **state UNUSED)
{
	static const char *const added[] = {
		"ARC-Seal: i=51; cv=pass\r\n",
		"ARC-Seal: i=2; cv=pass\r\n",
		"ARC-Seal: i=1; cv=none\r\n",
		"ARC-Message-Signature: i=1; x=y\r\n",
		"ARC-Authentication-Results: i=1; x\r\n",
		"ARC-Authentication-Results: none\r\n",
		"ARC-Seal: i=3; cv=pass\r\nARC-Message-Signature: i=3; a=b\r\nARC-Authentication-Results: i=3; x\r\n",
		"ARC-Seal: \r\n",
	};
	str message = seal_again(STR(MESSAGE));
	size_t asked = dns.asked;

	for (size_t i = 0; i < ARRAY_LEN(added); i++)
		if (verify(arena_printf(&memory, "%s" STR_FMT, added[i], STR_ARG(message))) != AUTH_FAIL)
			fail_msg("%s", added[i]);
	assert_int_equal(dns.asked, asked);
}

/* All failures are permanent (RFC 8617 5.2.1): a DNS that does not answer, too. */
static void test_no_answer(void **state UNUSED)
{
	str message = seal_again(STR(MESSAGE));
	struct vector_dns before = dns;

	dns = (struct vector_dns){0};
	vector_dns_add(&dns, STR("sel._domainkey.example.net"), 0, STR_NONE);
	assert_int_equal(verify(message), AUTH_FAIL);
	vector_dns_clear(&dns);
	dns = before;
}

static void test_instances(void **state UNUSED)
{
	static const struct {
		const char *value;
		unsigned instance;
	} cases[] = {
		{" i=1; x", 1}, {"i = 50 ; x", 50},   {" (a (b) \\) c) i=2 (d);", 2},
		{"i=0; x", 0},  {"i=51; x", 0},       {"i=001; x", 0},
		{"i=1", 0},     {"x; i=1;", 0},       {"i=; x", 0},
		{"i=a; x", 0},  {"(unended i=1;", 0}, {"", 0},
		{"I=1;", 0},
	};
	str rest;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (arc_results_instance(str_from(cases[i].value), &rest) != cases[i].instance)
			fail_msg("%s", cases[i].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),      cmocka_unit_test(test_chain),     cmocka_unit_test(test_oldest_pass),
		cmocka_unit_test(test_broken),    cmocka_unit_test(test_full),      cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_structure), cmocka_unit_test(test_instances),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
