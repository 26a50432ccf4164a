/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "relay/fake.h"
#include "relay/policy.h"

#include <stdio.h>

#define HEAD    "version 1\nhostname mail.example.org\ndomain example.org\n"
#define H32     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENFORCE "version: STSv1\nmode: enforce\nmx: mx.sts.example\nmx: mx.a.example\nmax_age: 604800\n"
#define TESTING "version: STSv1\nmode: testing\nmx: other.sts.example\nmax_age: 604800\n"

static const char *const zone[] = {
	/* signed, with a record that can be used, and with one that cannot */
	"dane.example SECURE MX 10 mx.dane.example",
	"mx.dane.example SECURE A 192.0.2.1",
	"_25._tcp.mx.dane.example SECURE TLSA 3 1 1 " H32,
	"_25._tcp.mx.dane.example SECURE TLSA 0 1 1 " H32,
	"pkix.example SECURE MX 10 mx.pkix.example",
	"mx.pkix.example SECURE A 192.0.2.1",
	"_25._tcp.mx.pkix.example SECURE TLSA 1 1 1 " H32,
	"_25._tcp.mx.pkix.example SECURE TLSA 3 1 1 0123",
	"_25._tcp.mx.pkix.example SECURE TLSA 3 1 9 " H32,
	/* signed, without */
	"signed.example SECURE MX 10 mx.signed.example",
	"mx.signed.example SECURE A 192.0.2.1",
	/* records that cannot be had, or not be believed */
	"fails.example SECURE MX 10 mx.fails.example",
	"mx.fails.example SECURE A 192.0.2.1",
	"_25._tcp.mx.fails.example SERVFAIL",
	"bogus.example SECURE MX 10 mx.bogus.example",
	"mx.bogus.example SECURE A 192.0.2.1",
	"_25._tcp.mx.bogus.example BOGUS",
	/* the way to the records is not signed */
	"half.example MX 10 mx.dane.example",
	"plain.example SECURE MX 10 mx.plain.example",
	"mx.plain.example A 192.0.2.1",
	"_25._tcp.mx.plain.example SECURE TLSA 3 1 1 " H32,
	"open.example SECURE MX 10 mx.open.example",
	"mx.open.example SECURE A 192.0.2.1",
	"_25._tcp.mx.open.example TLSA 3 1 1 " H32,
	/* RFC 7672 2.2.2 */
	"alias.example SECURE MX 10 mx.alias.example",
	"mx.alias.example CNAME mx.dane.example",
	"alias2.example SECURE MX 10 mx.alias2.example",
	"mx.alias2.example CNAME mx.signed.example",
	"_25._tcp.mx.alias2.example SECURE TLSA 3 1 1 " H32,
	/* MTA-STS */
	"sts.example MX 10 mx.sts.example",
	"sts.example MX 20 other.example",
	"mx.sts.example A 192.0.2.1",
	"other.example A 192.0.2.2",
	"_mta-sts.sts.example TXT v=STSv1; id=1;",
	"mta-sts.sts.example A 192.0.2.9",
	"_mta-sts.dane.example TXT v=STSv1; id=1;",
	"mta-sts.dane.example A 192.0.2.9",
	NULL,
};

static struct fake_world w;

static struct {
	const char *domain;
	size_t host;
	uint64_t flags;
	/* out */
	err e;
	struct relay_policy p;
	char status[12], names[200], server_name[100];
} t;

static void remember(void)
{
	BUF(names, 200);

	for (size_t i = 0; i < t.p.names_n; i++)
		buf_printf(&names, STR_FMT " ", STR_ARG(t.p.names[i]));
	snprintf(t.names, sizeof(t.names), STR_FMT, STR_ARG(buf_str(&names)));
	snprintf(t.server_name, sizeof(t.server_name), STR_FMT, STR_ARG(t.p.server_name));
	snprintf(t.status, sizeof(t.status), "%s", t.e == OK ? "" : err_info()->status);
}

static void run_main(void *arg UNUSED)
{
	ARENA(a, 1 << 20);
	struct relay_hosts hosts;

	fake_begin(&w);
	struct relay_way way = relay_way(w.conf, str_from(t.domain), STR_NONE);
	struct hosts_question find = {.config = w.conf, .resolver = &w.relay->resolver, .way = &way, .arena = &a};
	struct policy_question q = {.relay = w.relay, .way = &way, .hosts = &hosts, .flags = t.flags, .arena = &a};
	if (hosts_find(&find, &hosts) != OK || hosts_look_up(&find, &hosts, t.host) != OK)
		abort();
	t.e = policy_of_host(&q, &hosts.items[t.host], &t.p);
	remember();
	fake_end_world(&w);
}

static void ask(const char *config, const char *domain, size_t host, uint64_t flags)
{
	const char *fetched = w.fetched;

	w = (struct fake_world){.config = config, .zone = {.lines = zone}, .fetched = fetched};
	t.domain = domain;
	t.host = host;
	t.flags = flags;
	assert_int_equal(rt_run_simulated(1, run_main, NULL), OK);
	fake_free(&w);
}

static void expect(const char *config, const char *domain, uint64_t flags, enum policy_level level, const char *by)
{
	ask(config, domain, 0, flags);
	if (t.e != OK)
		fail_msg("%s: %s %s", domain, err_name(t.e), t.status);
	assert_int_equal(t.p.level, level);
	assert_string_equal(t.p.by, by);
}

static void expect_refusal(const char *config, const char *domain, size_t host, uint64_t flags, err e,
                           const char *status)
{
	ask(config, domain, host, flags);
	assert_int_equal(t.e, e);
	assert_string_equal(t.status, status);
}

static void nobody_asks(void **state UNUSED)
{
	expect(HEAD, "signed.example", 0, POLICY_MAY, "nobody");
	assert_string_equal(t.server_name, "mx.signed.example");
	expect(HEAD, "[192.0.2.1]", 0, POLICY_MAY, "nobody");
	assert_string_equal(t.server_name, "");
}

static void dane(void **state UNUSED)
{
	expect(HEAD, "dane.example", 0, POLICY_DANE, "DANE");
	assert_int_equal(t.p.tlsa_n, 1);
	assert_string_equal(t.names, "mx.dane.example dane.example ");
	expect(HEAD, "pkix.example", 0, POLICY_ENCRYPTED, "DANE"); /* none that can be used */
	expect(HEAD, "half.example", 0, POLICY_MAY, "nobody");
	expect(HEAD, "plain.example", 0, POLICY_MAY, "nobody");
	expect(HEAD, "open.example", 0, POLICY_MAY, "nobody");
	expect_refusal(HEAD, "fails.example", 0, 0, E_TEMP, "4.4.3");
	expect_refusal(HEAD, "bogus.example", 0, 0, E_TEMP, "4.7.5");
}

static void dane_behind_a_cname(void **state UNUSED)
{
	expect(HEAD, "alias.example", 0, POLICY_DANE, "DANE");
	assert_string_equal(t.names, "mx.dane.example alias.example ");
	expect(HEAD, "alias2.example", 0, POLICY_DANE, "DANE");
	assert_string_equal(t.names, "mx.alias2.example alias2.example ");
	assert_string_equal(t.server_name, "mx.alias2.example");
}

static void dane_of_a_smarthost(void **state UNUSED)
{
	expect(HEAD "route * smtp mx.dane.example:25\n", "a.example", 0, POLICY_DANE, "DANE");
	assert_string_equal(t.names, "mx.dane.example ");
	expect(HEAD "route * smtp mx.dane.example:587\n", "a.example", 0, POLICY_MAY, "nobody");
}

static void sts(void **state UNUSED)
{
	w.fetched = ENFORCE;
	expect(HEAD, "sts.example", 0, POLICY_NAME, "MTA-STS");
	assert_string_equal(t.names, "mx.sts.example ");
	expect_refusal(HEAD, "sts.example", 1, 0, E_TEMP, "4.7.5");
	expect(HEAD, "dane.example", 0, POLICY_DANE, "DANE"); /* RFC 8461 2 */
	assert_int_equal(w.fetches, 0);
	assert_false(t.p.testing);
	w.fetched = TESTING;
	expect(HEAD, "sts.example", 0, POLICY_MAY, "nobody");
	assert_true(t.p.testing);
	expect(HEAD "route * mx tls verified\n", "sts.example", 0, POLICY_NAME, "the route");
	assert_false(t.p.testing);
	w.fetched = NULL;
	expect(HEAD, "sts.example", 0, POLICY_MAY, "nobody");
}

static void what_the_route_says(void **state UNUSED)
{
	w.fetched = ENFORCE;
	expect(HEAD "route * mx tls required\n", "signed.example", 0, POLICY_ENCRYPTED, "the route");
	expect(HEAD "route * mx tls verified\n", "signed.example", 0, POLICY_NAME, "the route");
	expect(HEAD "route * mx tls verified\n", "dane.example", 0, POLICY_DANE, "DANE");
	expect(HEAD "route * mx tls required\n", "sts.example", 0, POLICY_NAME, "MTA-STS");
	expect(HEAD "route * mx tls never\n", "dane.example", 0, POLICY_PLAIN, "nobody");
	expect(HEAD "route * smtps 192.0.2.1\n", "a.example", 0, POLICY_ENCRYPTED, "the route");
	assert_true(t.p.implicit);
	/* who gets a password has to prove who it is */
	expect(HEAD "route * smtp hub.example:587 user me password-file /p\n", "a.example", 0, POLICY_NAME,
	       "the route");
	expect(HEAD "route * smtps 192.0.2.1 user me password-file /p\n", "a.example", 0, POLICY_NAME, "the route");
	expect(HEAD "route * smtp mx.dane.example user me password-file /p\n", "a.example", 0, POLICY_DANE, "DANE");
	expect(HEAD "route * smtp hub.example tls required user me password-file /p\n", "a.example", 0,
	       POLICY_ENCRYPTED, "the route");
	expect("version 1\nhostname m.example\ndomain a.example { relay smtp 192.0.2.1 }\n", "a.example", 0, POLICY_MAY,
	       "nobody");
	w.fetched = NULL;
}

/* RFC 8689. */
static void what_the_message_says(void **state UNUSED)
{
	w.fetched = ENFORCE;
	expect(HEAD, "dane.example", MESSAGE_TLS_OPTIONAL, POLICY_MAY, "nobody");
	expect(HEAD, "sts.example", MESSAGE_TLS_OPTIONAL, POLICY_MAY, "nobody");
	expect(HEAD, "bogus.example", MESSAGE_TLS_OPTIONAL, POLICY_MAY, "nobody");
	expect(HEAD "route * mx tls required\n", "dane.example", MESSAGE_TLS_OPTIONAL, POLICY_ENCRYPTED, "the route");
	expect(HEAD, "dane.example", MESSAGE_REQUIRE_TLS, POLICY_DANE, "DANE");
	assert_true(t.p.requiretls);
	expect(HEAD, "dane.example", MESSAGE_REQUIRE_TLS | MESSAGE_TLS_OPTIONAL, POLICY_DANE, "DANE");
	expect(HEAD, "signed.example", MESSAGE_REQUIRE_TLS, POLICY_NAME, "REQUIRETLS");
	expect(HEAD, "pkix.example", MESSAGE_REQUIRE_TLS, POLICY_NAME, "REQUIRETLS");
	expect(HEAD, "sts.example", MESSAGE_REQUIRE_TLS, POLICY_NAME, "MTA-STS");
	expect(HEAD "route * smtp 192.0.2.1\n", "a.example", MESSAGE_REQUIRE_TLS, POLICY_NAME, "REQUIRETLS");
	expect_refusal(HEAD, "half.example", 0, MESSAGE_REQUIRE_TLS, E_PERM, "5.7.30");
	expect_refusal(HEAD, "[192.0.2.1]", 0, MESSAGE_REQUIRE_TLS, E_PERM, "5.7.30");
	expect_refusal(HEAD "route * mx tls never\n", "dane.example", 0, MESSAGE_REQUIRE_TLS, E_PERM, "5.7.30");
	w.fetched = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_asks),           cmocka_unit_test(dane), cmocka_unit_test(dane_behind_a_cname),
		cmocka_unit_test(dane_of_a_smarthost),   cmocka_unit_test(sts),  cmocka_unit_test(what_the_route_says),
		cmocka_unit_test(what_the_message_says),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
