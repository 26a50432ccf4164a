/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "relay/fake_dns.h"
#include "relay/hosts.h"

#include <stdio.h>

#define HEAD "version 1\nhostname mail.example.org\ndomain example.org\n"

static const char *const zone_lines[] = {
	"a.example MX 20 mx2.a.example",
	"a.example MX 10 mx1.a.example",
	"mx1.a.example AAAA 2001:db8::1",
	"mx1.a.example AAAA 2001:db8::2",
	"mx1.a.example A 192.0.2.1",
	"mx2.a.example A 192.0.2.2",
	"signed.example SECURE MX 10 mx.signed.example",
	"mx.signed.example SECURE A 192.0.2.1",
	"mx.signed.example SECURE AAAA 2001:db8::1",
	"half.example SECURE MX 10 mx.half.example",
	"mx.half.example SECURE A 192.0.2.1",
	"mx.half.example AAAA 2001:db8::1",
	"implicit.example A 192.0.2.3",
	"six.example AAAA 2001:db8::6",
	"5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR mail.example.org",
	"null.example MX 0 .",
	"nulls.example MX 0 .",
	"nulls.example MX 10 mx2.a.example",
	"self.example MX 10 mail.example.org",
	"self.example MX 20 mx2.a.example",
	"backup.example MX 10 mx2.a.example",
	"backup.example MX 20 mx1.a.example",
	"backup.example MX 20 mail.example.org",
	"backup.example MX 30 mx1.a.example",
	"loop.example MX 10 mx.loop.example",
	"mx.loop.example A 127.0.0.1",
	"listened.example MX 10 mx2.a.example",
	"listened.example MX 20 mx.listened.example",
	"mx.listened.example A 192.0.2.99",
	"address.example MX 10 192.0.2.1",
	"dots.example MX 10 .",
	"dots.example MX 20 .",
	"alias.example MX 10 mx.alias.example",
	"mx.alias.example CNAME mx2.a.example",
	"none.example MX 10 nobody.a.example",
	"fails.example SERVFAIL",
	"bogus.example BOGUS",
	"mxfails.example MX 10 fails.example",
	"onefails.example MX 10 fails6.example",
	"mail.example.org A 192.0.2.50",
	NULL,
};

struct found {
	struct arena arena;
	struct config *config;
	struct fake_zone zone;
	struct resolver resolver;
	struct relay_way way;
	struct hosts_question q;
	struct relay_hosts hosts;
	err e;
};

static struct found f;

static void find(const char *config, const char *domain)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};

	f = (struct found){.arena = ARENA_INIT(1 << 20), .zone = {.lines = zone_lines}};
	f.config = config_parse(str_from(config), "f", &faults);
	assert_non_null(f.config);
	f.resolver = fake_zone_resolver(&f.zone);
	f.way = relay_way(f.config, str_from(domain), STR_NONE);
	f.q = (struct hosts_question){f.config, &f.resolver, &f.way, &f.arena, NULL, NULL};
	f.e = hosts_find(&f.q, &f.hosts);
}

static void done(void)
{
	arena_free(&f.arena);
	config_release(f.config);
}

static void expect_failure(const char *domain, err e, const char *status)
{
	find(HEAD, domain);
	if (f.e == OK)
		f.e = hosts_look_up(&f.q, &f.hosts, 0);
	if (f.e == OK && f.hosts.items[0].n == 0) {
		assert_int_equal(f.hosts.items[0].why.code, e);
		assert_string_equal(f.hosts.items[0].why.status, status);
	} else {
		assert_int_equal(f.e, e);
		assert_string_equal(err_info()->status, status);
	}
	done();
}

static void expect_addresses(size_t host, const char *expected)
{
	BUF(text, 400);

	assert_int_equal(hosts_look_up(&f.q, &f.hosts, host), OK);
	for (size_t i = 0; i < f.hosts.items[host].n; i++) {
		net_address_print(&text, &f.hosts.items[host].addresses[i]);
		buf_putc(&text, ' ');
	}
	assert_str(buf_str(&text), expected);
}

static void by_preference(void **state UNUSED)
{
	find(HEAD, "a.example");
	assert_int_equal(f.e, OK);
	assert_int_equal(f.hosts.n, 2);
	assert_str(f.hosts.items[0].name, "mx1.a.example");
	assert_str(f.hosts.items[1].name, "mx2.a.example");
	assert_false(f.hosts.secure);
	expect_addresses(0, "[2001:db8::1]:25 192.0.2.1:25 [2001:db8::2]:25 ");
	assert_false(f.hosts.items[1].looked_up); /* not before it is needed */
	expect_addresses(1, "192.0.2.2:25 ");
	done();
}

static void what_is_signed(void **state UNUSED)
{
	find(HEAD, "signed.example");
	assert_true(f.hosts.secure);
	expect_addresses(0, "[2001:db8::1]:25 192.0.2.1:25 ");
	assert_true(f.hosts.items[0].secure);
	done();
	find(HEAD, "half.example");
	assert_true(f.hosts.secure);
	expect_addresses(0, "[2001:db8::1]:25 192.0.2.1:25 ");
	assert_false(f.hosts.items[0].secure);
	done();
}

/* --- where IPv6 would come from --- */

static const char *source_text; /* NULL: there is no way */

static err source_of(const struct net_address *to, struct net_address *out)
{
	assert_int_equal(to->sa.ss_family, AF_INET6);
	return source_text == NULL ? E_CLOSED : net_address_parse(str_from(source_text), out);
}

static void expect_from(const char *source, const char *domain, const char *expected)
{
	find(HEAD, domain);
	f.q.source = source_of;
	source_text = source;
	expect_addresses(0, expected);
	done();
}

static void ipv6_needs_a_name(void **state UNUSED)
{
	expect_from("[2001:db8:1::25]:1", "a.example", "[2001:db8::1]:25 192.0.2.1:25 [2001:db8::2]:25 ");
	expect_from("[2001:db8:1::26]:1", "a.example", "192.0.2.1:25 ");
	expect_from(NULL, "a.example", "192.0.2.1:25 ");
	/* Nothing else is there. */
	expect_from("[2001:db8:1::26]:1", "six.example", "[2001:db8::6]:25 ");
}

static void without_mx(void **state UNUSED)
{
	find(HEAD, "implicit.example");
	assert_int_equal(f.hosts.n, 1);
	assert_str(f.hosts.items[0].name, "implicit.example");
	expect_addresses(0, "192.0.2.3:25 ");
	done();
	expect_failure("nowhere.example", E_PERM, "5.1.2");
	expect_failure("null.example", E_PERM, "5.1.10");
	expect_failure("dots.example", E_PERM, "5.1.10");
	expect_failure("none.example", E_PERM, "5.4.4");
}

static void a_null_among_others_is_none(void **state UNUSED)
{
	find(HEAD, "nulls.example");
	assert_int_equal(f.e, OK);
	assert_int_equal(f.hosts.n, 1);
	done();
}

static void behind_a_cname(void **state UNUSED)
{
	find(HEAD, "alias.example");
	expect_addresses(0, "192.0.2.2:25 ");
	assert_str(f.hosts.items[0].name, "mx.alias.example");
	assert_str(f.hosts.items[0].canonical, "mx2.a.example");
	done();
}

static void what_is_not_known_now(void **state UNUSED)
{
	expect_failure("address.example", E_TEMP, "4.4.3"); /* malformed */
	expect_failure("fails.example", E_TEMP, "4.4.3");
	expect_failure("bogus.example", E_TEMP, "4.7.5");
	expect_failure("mxfails.example", E_TEMP, "4.4.3");
}

static void circles(void **state UNUSED)
{
	expect_failure("self.example", E_PERM, "5.4.6");
	expect_failure("loop.example", E_PERM, "5.4.6");
	expect_failure("mail.example.org", E_PERM, "5.4.6");
	expect_failure("[127.0.0.1]", E_PERM, "5.4.6");
	expect_failure("[IPv6:::1]", E_PERM, "5.4.6");
	expect_failure("[0.0.0.0]", E_PERM, "5.4.6");
}

static void a_backup_serves_those_before_it(void **state UNUSED)
{
	find(HEAD, "backup.example");
	assert_int_equal(f.e, OK);
	assert_int_equal(f.hosts.n, 1);
	assert_str(f.hosts.items[0].name, "mx2.a.example");
	done();
	find(HEAD "listen smtp 192.0.2.99:25\n", "listened.example");
	assert_int_equal(f.hosts.n, 2);
	expect_addresses(0, "192.0.2.2:25 ");
	assert_int_equal(hosts_look_up(&f.q, &f.hosts, 1), OK);
	assert_int_equal(f.hosts.n, 1);
	done();
}

/* 192.0.2.2 alone. */
static bool is_ours(const struct net_address *a)
{
	struct net_address ours;

	return net_address_parse(STR("192.0.2.2:25"), &ours) == OK && net_address_equal_host(a, &ours);
}

static void an_address_that_is_not_configured(void **state UNUSED)
{
	find(HEAD, "a.example");
	f.q.is_local = is_ours;
	expect_addresses(0, "[2001:db8::1]:25 192.0.2.1:25 [2001:db8::2]:25 ");
	assert_int_equal(hosts_look_up(&f.q, &f.hosts, 1), OK);
	assert_int_equal(f.hosts.n, 1);
	done();
	find(HEAD, "alias.example");
	f.q.is_local = is_ours;
	assert_int_equal(hosts_look_up(&f.q, &f.hosts, 0), E_PERM);
	assert_string_equal(err_info()->status, "5.4.6");
	done();
	find(HEAD "route * mx loopback allow\n", "alias.example");
	f.q.is_local = is_ours;
	expect_addresses(0, "192.0.2.2:25 ");
	done();
}

static void loopback_where_it_is_allowed(void **state UNUSED)
{
	find(HEAD "route * mx port 2525 loopback allow\n", "loop.example");
	assert_int_equal(f.e, OK);
	expect_addresses(0, "127.0.0.1:2525 ");
	done();
	find(HEAD "route * mx loopback allow\n", "self.example");
	assert_int_equal(f.hosts.n, 2);
	done();
}

static void literals(void **state UNUSED)
{
	find(HEAD, "[192.0.2.1]");
	assert_int_equal(f.e, OK);
	assert_true(f.hosts.items[0].nameless);
	expect_addresses(0, "192.0.2.1:25 ");
	assert_int_equal(f.zone.asked, 0);
	done();
	find(HEAD, "[IPv6:2001:db8::1]");
	expect_addresses(0, "[2001:db8::1]:25 ");
	done();
	expect_failure("[192.0.2]", E_PERM, "5.1.2");
	expect_failure("[192.0.2.1", E_PERM, "5.1.2");
	expect_failure("[", E_PERM, "5.1.2");
	expect_failure("[]", E_PERM, "5.1.2");
	expect_failure("[unix:/x]", E_PERM, "5.1.2");
}

static void configured_servers(void **state UNUSED)
{
	find(HEAD "route * smtp mx2.a.example:587\n", "a.example");
	assert_true(f.hosts.secure);
	expect_addresses(0, "192.0.2.2:587 ");
	done();
	find(HEAD "route * smtp 127.0.0.1:2525\n", "a.example");
	expect_addresses(0, "127.0.0.1:2525 ");
	assert_true(f.hosts.items[0].nameless);
	done();
	find(HEAD "route * smtp nowhere.example\n", "a.example");
	assert_int_equal(hosts_look_up(&f.q, &f.hosts, 0), OK);
	assert_int_equal(f.hosts.items[0].why.code, E_TEMP);
	assert_string_equal(f.hosts.items[0].why.status, "4.4.4");
	done();
}

static void no_more_than_is_bearable(void **state UNUSED)
{
	static char lines[80][60];
	static const char *many[81];

	for (int i = 0; i < 40; i++) {
		snprintf(lines[i], sizeof(lines[i]), "a.example MX %d mx%d.a.example", i, i);
		snprintf(lines[40 + i], sizeof(lines[i]), "mx0.a.example A 192.0.2.%d", i + 1);
		many[i] = lines[i];
		many[40 + i] = lines[40 + i];
	}
	find(HEAD, "nowhere.example");
	f.zone.lines = many;
	f.way.name = STR("a.example");
	assert_int_equal(hosts_find(&f.q, &f.hosts), OK);
	assert_int_equal(f.hosts.n, HOSTS_MAX);
	assert_int_equal(hosts_look_up(&f.q, &f.hosts, 0), OK);
	assert_int_equal(f.hosts.items[0].n, HOST_ADDRESSES_MAX);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_preference),
		cmocka_unit_test(what_is_signed),
		cmocka_unit_test(ipv6_needs_a_name),
		cmocka_unit_test(without_mx),
		cmocka_unit_test(a_null_among_others_is_none),
		cmocka_unit_test(behind_a_cname),
		cmocka_unit_test(what_is_not_known_now),
		cmocka_unit_test(circles),
		cmocka_unit_test(a_backup_serves_those_before_it),
		cmocka_unit_test(an_address_that_is_not_configured),
		cmocka_unit_test(loopback_where_it_is_allowed),
		cmocka_unit_test(literals),
		cmocka_unit_test(configured_servers),
		cmocka_unit_test(no_more_than_is_bearable),
	};

	return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
