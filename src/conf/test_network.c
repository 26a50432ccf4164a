/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "conf/network.h"

static struct net_address host(const char *text)
{
	struct net_address a;

	assert_int_equal(network_host(str_from(text), 25, &a), OK);
	return a;
}

static bool contains(const char *network, const char *address)
{
	struct config_network n;
	struct net_address a = host(address);

	assert_int_equal(network_parse(str_from(network), &n), OK);
	return network_contains(&n, &a);
}

static void hosts(void **state UNUSED)
{
	static const char *const wrong[] = {"",      "unix:/x",      "unix",   "a.b", "192.0.2",
	                                    "[::1]", "192.0.2.1:25", "::1]:0", "::1]"};
	struct net_address a = host("::ffff:192.0.2.1");
	BUF(text, 80);

	assert_int_equal(a.sa.ss_family, AF_INET);
	net_address_print(&text, &a);
	assert_str(buf_str(&text), "192.0.2.1:25");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(network_host(str_from(wrong[i]), 0, &a), E_SYNTAX);
}

static void networks(void **state UNUSED)
{
	assert_true(contains("192.0.2.0/24", "192.0.2.255"));
	assert_false(contains("192.0.2.0/24", "192.0.3.0"));
	assert_true(contains("192.0.2.128/25", "192.0.2.200"));
	assert_false(contains("192.0.2.128/25", "192.0.2.127"));
	assert_true(contains("192.0.2.1", "192.0.2.1"));
	assert_false(contains("192.0.2.1", "192.0.2.0"));
	assert_true(contains("2001:db8::/32", "2001:db8:1::1"));
	assert_false(contains("2001:db8::/32", "2001:db9::1"));
	assert_false(contains("32.1.13.184/32", "2001:db8::1")); /* the same octets, of the other family */
	assert_true(contains("192.0.2.0/24", "::ffff:192.0.2.3"));
	assert_false(contains("unix", "192.0.2.1"));
}

static void what_is_no_network(void **state UNUSED)
{
	static const char *const wrong[] = {
		"",     "a.b",          "192.0.2.0/33", "192.0.2.0/",     "192.0.2.0/-1", "0.0.0.0/0",
		"::/0", "192.0.2.1/24", "::1/64",       "192.0.2.0/24/8", "/24",          "2001:db8::/129"};
	struct config_network n;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (network_parse(str_from(wrong[i]), &n) != E_SYNTAX)
			fail_msg("%s was taken", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(networks),
		cmocka_unit_test(what_is_no_network),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
