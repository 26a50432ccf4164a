/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "mailauth/tls_tally.h"

static const str strings[] = {STR("3 1 1 AB"), STR("2 0 1 CD")};

static struct tls_session session(const char *domain)
{
	return (struct tls_session){.domain = str_from(domain),
	                            .type = TLS_POLICY_TLSA,
	                            .policy_domain = STR("mx.example.com"),
	                            .strings = strings,
	                            .strings_n = 2,
	                            .receiving_host = STR("mx.example.com"),
	                            .receiving_ip = STR("192.0.2.1"),
	                            .sending_ip = STR("192.0.2.9"),
	                            .reason = STR("why")};
}

static struct tls_report policies(const struct tls_tally *t, const char *domain, struct arena *a)
{
	struct tls_report r = {0};

	assert_int_equal(tls_tally_policies(t, str_from(domain), a, &r), OK);
	return r;
}

static void test_counts(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct tls_tally t;
	struct tls_session s = session("example.com");

	tls_tally_init(&t);
	tls_tally_add(&t, &s);
	tls_tally_add(&t, &s);
	s.result = TLS_RESULT_NO_STARTTLS;
	tls_tally_add(&t, &s);
	tls_tally_add(&t, &s);
	s.reason = STR("another");
	tls_tally_add(&t, &s);
	s.result = TLS_RESULT_OTHER;
	tls_tally_add(&t, &s);
	struct tls_report r = policies(&t, "example.com", &a);
	assert_int_equal(r.policies_n, 1);
	assert_str(r.policies[0].type, "tlsa");
	assert_str(r.policies[0].domain, "mx.example.com");
	assert_str(r.policies[0].strings[1], "2 0 1 CD");
	assert_int_equal(r.policies[0].successes, 2);
	assert_int_equal(r.policies[0].failures, 4);
	assert_int_equal(r.policies[0].details_n, 3);
	assert_str(r.policies[0].details[0].result, "starttls-not-supported");
	assert_int_equal(r.policies[0].details[0].sessions, 2);
	assert_str(r.policies[0].details[0].receiving_ip, "192.0.2.1");
	assert_str(r.policies[0].details[0].sending_ip, "192.0.2.9");
	assert_str(r.policies[0].details[1].reason, "another");
	assert_str(r.policies[0].details[2].result, "validation-failure");
	assert_int_equal(t.lost, 0);
	tls_tally_free(&t);
}

/* A policy that changed within the day is another one. */
static void test_policies(void **state UNUSED)
{
	static const str hosts[] = {STR("*.example.com")};
	ARENA(a, 1 << 20);
	struct tls_tally t;
	struct tls_session s = session("example.com");

	tls_tally_init(&t);
	tls_tally_add(&t, &s);
	s.strings_n = 1;
	tls_tally_add(&t, &s);
	s.hosts = hosts;
	s.hosts_n = 1;
	s.type = TLS_POLICY_STS;
	s.policy_domain = s.domain;
	tls_tally_add(&t, &s);
	tls_tally_add(&t, &s);
	tls_tally_add(&t, &(struct tls_session){.domain = s.domain, .policy_domain = s.domain});
	struct tls_report r = policies(&t, "example.com", &a);
	assert_int_equal(r.policies_n, 4);
	assert_str(r.policies[2].type, "sts");
	assert_str(r.policies[2].hosts[0], "*.example.com");
	assert_int_equal(r.policies[2].successes, 2);
	assert_str(r.policies[3].type, "no-policy-found");
	tls_tally_free(&t);
}

static void test_domains(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	ARENA(small, 50);
	struct tls_tally t;
	struct tls_report r;
	struct tls_session one = session("one.example"), two = session("two.example");
	size_t at = 0, n = 0;
	str name;

	tls_tally_init(&t);
	tls_tally_add(&t, &one);
	tls_tally_add(&t, &two);
	while (tls_tally_next(&t, &at, &name))
		n += str_ends(name, STR(".example"));
	assert_int_equal(n, 2);
	assert_int_equal(tls_tally_policies(&t, STR("one.example"), &small, &r), E_LIMIT);
	tls_tally_remove(&t, STR("one.example"));
	tls_tally_remove(&t, STR("three.example"));
	assert_int_equal(tls_tally_policies(&t, STR("one.example"), &a, &r), E_NOT_FOUND);
	assert_int_equal(policies(&t, "two.example", &a).policies_n, 1);
	tls_tally_free(&t);
}

/* --- bounds --- */

static str number(struct arena *a, size_t i)
{
	return arena_printf(a, "%zu", i);
}

static void test_too_many_domains(void **state UNUSED)
{
	ARENA(a, 4 << 20);
	struct tls_tally t;
	struct tls_session s = session("");

	tls_tally_init(&t);
	for (size_t i = 0; i < TALLY_DOMAINS_MAX + 10; i++) {
		s.domain = number(&a, i);
		tls_tally_add(&t, &s);
	}
	assert_int_equal(t.lost, 10);
	s.domain = STR("7");
	tls_tally_add(&t, &s);
	assert_int_equal(t.lost, 10);
	assert_int_equal(policies(&t, "7", &a).policies[0].successes, 2);
	tls_tally_free(&t);
}

static void test_too_many_policies(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct tls_tally t;
	struct tls_session s = session("example.com");

	tls_tally_init(&t);
	for (size_t i = 0; i < TALLY_POLICIES_MAX + 3; i++) {
		s.policy_domain = number(&a, i);
		tls_tally_add(&t, &s);
	}
	assert_int_equal(t.lost, 3);
	assert_int_equal(policies(&t, "example.com", &a).policies_n, TALLY_POLICIES_MAX);
	tls_tally_free(&t);
}

/* No session is lost of what can be said about the policy; only which host it was is. */
static void test_too_many_details(void **state UNUSED)
{
	enum { MORE = 100 };
	ARENA(a, 1 << 20);
	struct tls_tally t;
	struct tls_session s = session("example.com");

	tls_tally_init(&t);
	for (size_t i = 0; i < TALLY_DETAILS_MAX + MORE; i++) {
		s.reason = number(&a, i);
		s.result = i % 2 == 0 ? TLS_RESULT_OTHER : TLS_RESULT_TLSA_INVALID;
		tls_tally_add(&t, &s);
	}
	struct tls_report r = policies(&t, "example.com", &a);
	assert_int_equal(t.lost, 0);
	assert_int_equal(r.policies[0].failures, TALLY_DETAILS_MAX + MORE);
	assert_int_equal(r.policies[0].details_n, TALLY_DETAILS_MAX + 2);
	const struct tls_report_failure *last = &r.policies[0].details[TALLY_DETAILS_MAX + 1];
	assert_str(last->result, "tlsa-invalid");
	assert_str(last->receiving_host, "");
	assert_int_equal(last->sessions, MORE / 2);
	tls_tally_free(&t);
}

/* Long texts of many policies do not fit; what is counted already goes on. */
static void test_memory(void **state UNUSED)
{
	ARENA(a, 8 << 20);
	BUF(text, 1000);
	struct tls_tally t;
	struct tls_session s = session("example.com");
	str many[200];

	while (text.n < 1000)
		buf_putc(&text, 'x');
	for (size_t i = 0; i < 200; i++)
		many[i] = buf_str(&text);
	tls_tally_init(&t);
	s.strings = many;
	s.strings_n = 200;
	tls_tally_add(&t, &s);
	s.policy_domain = STR("another");
	tls_tally_add(&t, &s);
	s.policy_domain = STR("mx.example.com");
	s.reason = buf_str(&text);
	s.result = TLS_RESULT_OTHER;
	for (size_t i = 0; i < 3; i++)
		tls_tally_add(&t, &s);
	struct tls_report r = policies(&t, "example.com", &a);
	assert_int_equal(t.lost, 1);
	assert_int_equal(r.policies_n, 1);
	assert_int_equal(r.policies[0].strings_n, 100);
	assert_int_equal(r.policies[0].failures, 3);
	assert_int_equal(r.policies[0].details_n, 1);
	assert_int_equal(r.policies[0].details[0].sessions, 3);
	for (size_t i = 0; i < 2000; i++) {
		s.domain = number(&a, i);
		tls_tally_add(&t, &s);
	}
	assert_true(t.octets < 33 << 20 && t.lost > 100);
	tls_tally_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),           cmocka_unit_test(test_policies),
		cmocka_unit_test(test_domains),          cmocka_unit_test(test_too_many_domains),
		cmocka_unit_test(test_too_many_details), cmocka_unit_test(test_too_many_policies),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
