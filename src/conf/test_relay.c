/* SPDX-License-Identifier: ISC */
#include "conf/fake.h"
#include "conf/relay.h"

static void expect(const struct config *c, const char *domain, const char *sender, const char *destination)
{
	struct relay_way way = relay_way(c, str_from(domain), str_from(sender));
	BUF(out, DESTINATION_MAX);

	relay_destination(&out, c, &way);
	assert_str(buf_str(&out), destination);
}

static void without_routes(void **state UNUSED)
{
	struct config *c = parse(HEAD);
	struct relay_way way = relay_way(c, STR("example.com"), STR_NONE);

	expect(c, "example.com", "a@example.org", "example.com");
	expect(c, "[192.0.2.1]", "", "[192.0.2.1]");
	assert_int_equal(way.hop->kind, HOP_MX);
	assert_int_equal(way.hop->port, 25);
	assert_str(way.name, "example.com");
	assert_null(way.inner);
	config_release(c);
}

static void the_first_route_that_fits(void **state UNUSED)
{
	struct config *c = parse(HEAD "route a.example smtp 10.0.0.5\nroute .a.example lmtp [2001:db8::1]:2424\n"
	                              "route * smtps relay.example.net sender News@example.org\n"
	                              "route b.example mx tls required\nroute c.example mx\n"
	                              "route * smtp relay.example.net:587 sender example.org\n");

	expect(c, "a.example", "news@example.org", "#1 smtp 10.0.0.5:25");
	expect(c, "x.a.example", "", "#2 lmtp [2001:db8::1]:2424");
	expect(c, "xa.example", "", "xa.example");
	expect(c, "b.example", "NEWS@example.ORG", "#3 smtps relay.example.net:465");
	expect(c, "b.example", "", "b.example #4");
	expect(c, "c.example", "a@example.org", "c.example");
	expect(c, "d.example", "a@Example.org", "#6 smtp relay.example.net:587");
	expect(c, "d.example", "a@x.example.org", "d.example");
	expect(c, "d.example", "", "d.example");
	config_release(c);
}

static void mx_with_settings_of_its_own(void **state UNUSED)
{
	struct config *c = parse(HEAD "route a.example mx port 2525\nroute b.example mx source 192.0.2.1\n"
	                              "route c.example mx loopback allow\nroute d.example mx tls auto\n");

	expect(c, "a.example", "", "a.example #1");
	expect(c, "b.example", "", "b.example #2");
	expect(c, "c.example", "", "c.example #3");
	expect(c, "d.example", "", "d.example");
	assert_int_equal(relay_way(c, STR("a.example"), STR_NONE).hop->port, 2525);
	config_release(c);
}

static void inner_servers(void **state UNUSED)
{
	struct config *c = parse("version 1\nhostname mx.example.org\ndomain example.net { relay smtp 10.0.0.5:25 }\n"
	                         "domain example.com { relay lmtp inner.example }\nroute * smtp 10.0.0.9\n");
	struct relay_way way = relay_way(c, STR("example.net"), STR("a@b"));

	assert_null(way.route);
	assert_ptr_equal(way.inner, &c->domains[0]);
	assert_str(way.name, "10.0.0.5");
	expect(c, "example.net", "", "example.net smtp 10.0.0.5:25");
	expect(c, "example.com", "", "example.com lmtp inner.example:24");
	expect(c, "x.example.net", "", "#1 smtp 10.0.0.9:25");
	config_release(c);
}

static void who_may_relay(void **state UNUSED)
{
	struct config *c = parse(HEAD "relay-from 192.0.2.0/24 2001:db8::/32\nrelay-from 127.0.0.1\n");

	assert_true(relay_client_allowed(c, STR("192.0.2.7")));
	assert_true(relay_client_allowed(c, STR("2001:db8::7")));
	assert_true(relay_client_allowed(c, STR("127.0.0.1")));
	assert_false(relay_client_allowed(c, STR("127.0.0.2")));
	assert_false(relay_client_allowed(c, STR("unix")));
	assert_false(relay_client_allowed(c, STR("unknown")));
	assert_false(relay_client_allowed(c, STR_NONE));
	config_release(c);
	c = parse(HEAD "relay-from unix\n");
	assert_true(relay_client_allowed(c, STR("unix")));
	assert_false(relay_client_allowed(c, STR("127.0.0.1")));
	config_release(c);
	c = parse(HEAD);
	assert_false(relay_client_allowed(c, STR("127.0.0.1")));
	config_release(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_routes),
		cmocka_unit_test(the_first_route_that_fits),
		cmocka_unit_test(mx_with_settings_of_its_own),
		cmocka_unit_test(inner_servers),
		cmocka_unit_test(who_may_relay),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
