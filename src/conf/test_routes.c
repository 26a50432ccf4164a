/* SPDX-License-Identifier: ISC */
/* Settings of relaying: what they become, that they are printed as they are read, and what is wrong with them. */
#include "conf/fake.h"

static void a_route(void **state UNUSED)
{
	struct config *c = parse(HEAD "route * smtp Relay.Example.net:587 tls verified sender Alice@Example.ORG "
	                              "user \"a b\" password-file /etc/pass source 192.0.2.1 source 2001:db8::1 "
	                              "loopback allow\n");
	const struct config_route *r = &c->routes[0];

	assert_int_equal(c->routes_n, 2);
	assert_str(r->pattern, "*");
	assert_int_equal(r->hop.kind, HOP_SMTP);
	assert_str(r->hop.host, "relay.example.net");
	assert_int_equal(r->hop.port, 587);
	assert_int_equal(r->tls, HOP_TLS_VERIFIED);
	assert_str(r->sender, "Alice@example.org");
	assert_str(r->user, "a b");
	assert_str(r->password_file, "/etc/pass");
	assert_int_equal(r->source4.sa.ss_family, AF_INET);
	assert_int_equal(r->source6.sa.ss_family, AF_INET6);
	assert_true(r->loopback);
	assert_int_equal(c->routes[1].hop.kind, HOP_MX);
	assert_str(c->routes[1].pattern, "*");
	config_release(c);
}

static void routes_are_printed(void **state UNUSED)
{
	expect_printed(HEAD "route .B\xc3\xbc.example mx port 2525 loopback allow",
	               "\nroute .xn--b-eha.example mx port 2525 loopback allow\n");
	expect_printed(HEAD "route a.example smtp [::ffff:192.0.2.1]", "\nroute a.example smtp 192.0.2.1:25\n");
	expect_printed(HEAD "route a.example lmtp [2001:db8::1]:24 { tls never\n source ::1 }",
	               "\nroute a.example lmtp [2001:db8::1]:24 tls never source ::1\n");
	expect_printed(
		HEAD "route * smtps x.example user me password-file \"/a b\" sender example.org tls required",
		"\nroute * smtps x.example:465 sender example.org tls required user me password-file \"/a b\"\n");
	expect_printed(HEAD "route * mx\nroute * mx", "\nroute * mx\nroute * mx\nqueue");
}

static void others_are_printed(void **state UNUSED)
{
	expect_printed(
		HEAD "relay-from 192.0.2.0/24 2001:db8::/32 192.0.2.1 unix",
		"\nrelay-from 192.0.2.0/24\nrelay-from 2001:db8::/32\nrelay-from 192.0.2.1/32\nrelay-from unix\n");
	expect_printed(HEAD "resolver 127.0.0.1:5353 ::1\nresolver [::1]:53",
	               "\nresolver 127.0.0.1:5353\nresolver [::1]:53\nresolver [::1]:53\n");
	expect_printed(HEAD "trust-anchor \"/a b\"", "\ntrust-anchor \"/a b\"\n");
	expect_printed(HEAD "tls authorities /a.pem", "\ntls authorities /a.pem\n");
	expect_printed(HEAD "domain a.b { relay smtp 10.0.0.5:2525 }", "\ndomain a.b { relay smtp 10.0.0.5:2525 }\n");
	expect_printed(HEAD "domain a.b relay lmtp [::1]", "\ndomain a.b { relay lmtp [::1]:24 }\n");
	expect_printed(HEAD "listen local unix:/run/x", "\nlisten local unix:/run/x\n");
	expect_printed(HEAD "queue retry 1m 90s expire 1d warn none per-destination 7 connections 9",
	               "\nqueue retry 1m 90s\nqueue expire 1d\nqueue warn none\nqueue per-destination 7\nqueue "
	               "connections 9\n");
}

static void the_queue(void **state UNUSED)
{
	struct config *c = parse(HEAD);

	assert_int_equal(c->queue.retries, 6);
	assert_int_equal(c->queue.retry[0], 300 * NSEC_PER_SEC);
	assert_int_equal(c->queue.retry[5], 4 * 3600 * NSEC_PER_SEC);
	assert_int_equal(c->queue.expire, 5 * 86400 * NSEC_PER_SEC);
	assert_int_equal(c->queue.warn, 4 * 3600 * NSEC_PER_SEC);
	assert_int_equal(c->queue.per_destination, 50);
	assert_int_equal(c->queue.connections, 500);
	config_release(c);
	c = parse(HEAD "queue {\n warn none\n retry 1s 2s\n}\n");
	assert_int_equal(c->queue.retries, 2);
	assert_int_equal(c->queue.retry[1], 2 * NSEC_PER_SEC);
	assert_int_equal(c->queue.warn, 0);
	config_release(c);
}

static void faults_of_routes(void **state UNUSED)
{
	expect_fault("route *", "8: route needs a value: mx");
	expect_fault("route * smtp", "13: route needs a value: HOST:PORT");
	expect_fault("route * mx relay.example:25", "12: route has no option \"relay.example:25\"");
	expect_fault("route * smpt", "9: no such way \"smpt\" (did you mean \"smtp\"?)");
	expect_fault("route * smtp a.b:0", "14: \"a.b:0\" is not a server such as mail.example.org:25 or 192.0.2.1:25");
	expect_fault("route * lmtp unix:/x",
	             "14: \"unix:/x\" is not a server such as mail.example.org:25 or 192.0.2.1:25");
	expect_fault("route * smtp [a.b]:25",
	             "14: \"[a.b]:25\" is not a server such as mail.example.org:25 or 192.0.2.1:25");
	expect_fault("route * smtp a.b port 7", "23: port is for mx; a server has it behind its name");
	expect_fault("route * mx port 70000", "17: \"70000\" is not a port");
	expect_fault("route * mx tls need", "16: tls of a route cannot be \"need\"");
	expect_fault("route * smtps a.b tls never", "23: smtps is nothing without TLS");
	expect_fault("route * mx tls auto tls never", "21: tls is there twice for this route");
	expect_fault("route * mx source ::1 source ::2", "30: there are two sources of one family for this route");
	expect_fault("route * mx source a.b", "19: \"a.b\" is not an address such as 192.0.2.1 or 2001:db8::1");
	expect_fault("route * mx user a password-file /b", "17: user is for a route to a server, not for mx");
	expect_fault("route * smtp a.b user c", "24: user needs a value: password-file FILE");
	expect_fault("route * smtp a.b user c password /d",
	             "25: behind the name of the user stands password-file FILE");
	expect_fault("route * smtp a.b user c password-file d", "39: \"d\" is not an absolute path");
	expect_fault("route a_b mx",
	             "7: \"a_b\" is not the name of a domain: only letters, digits, hyphens and dots make a "
	             "domain name");
}

static void faults_of_others(void **state UNUSED)
{
	expect_fault("domain a.b { relay mx }", "20: no such way \"mx\"");
	expect_fault("domain a.b { relay smtp }", "25: relay needs a value: HOST:PORT");
	expect_fault("domain a.b { relay smtp c.d catchall x@a.b }", "38: a domain that is relayed has no catchall");
	expect_fault("domain a.b { catchall x@a.b relay smtp c.d }", "35: a domain that is relayed has no catchall");
	expect_fault("domain a.b { relay smtp c.d relay smtp c.e }", "29: relay is there twice for this domain");
	expect_fault("relay-from 0.0.0.0/0", "12: \"0.0.0.0/0\" cannot be here: this is the whole Internet");
	expect_fault("relay-from 10.0.0.1/8", "12: \"10.0.0.1/8\" cannot be here: bits are set behind the first 8");
	expect_fault("resolver ns.example",
	             "10: \"ns.example\" is not an address such as 192.0.2.1, 127.0.0.1:53 or [::1]:53");
	expect_fault("resolver unix:/x",
	             "10: \"unix:/x\" is not an address such as 192.0.2.1, 127.0.0.1:53 or [::1]:53");
	expect_fault("trust-anchor root.key", "14: \"root.key\" is not an absolute path");
	expect_fault("tls authorities /a authorities /b", "20: authorities is there twice for this tls");
	expect_fault("listen local 127.0.0.1:25",
	             "14: local is served on Unix sockets only, such as unix:/run/pombo/submit");
	expect_fault("queue retry 1m 2x", "16: \"2x\" is not a time such as 30s, 5m, 2h or 1d, from 1s to 1d");
	expect_fault("queue retry", "12: retry needs a value: TIME");
	expect_fault("queue expire 5d expire 6d", "17: queue expire is there twice, first at f:4:7");
}

static void names_that_are_too_long(void **state UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};
	char label[64], text[1024];

	memset(label, 'a', 63);
	label[63] = '\0';
	snprintf(text, sizeof(text), HEAD "domain %s.%s { relay smtp %s.%s.%s }\n", label, label, label, label, label);
	assert_null(config_parse(str_from(text), "f", &faults));
	assert_true(str_ends(buf_str(&faults.text), STR("its server are too long together\n")));
	buf_free(&faults.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route),
		cmocka_unit_test(routes_are_printed),
		cmocka_unit_test(others_are_printed),
		cmocka_unit_test(the_queue),
		cmocka_unit_test(faults_of_routes),
		cmocka_unit_test(faults_of_others),
		cmocka_unit_test(names_that_are_too_long),
	};

	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
