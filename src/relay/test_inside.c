/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "conf/network.h"
#include "relay/inside.h"

static struct net_address address(const char *text)
{
	struct net_address a;

	assert_int_equal(network_host(str_from(text), 443, &a), OK);
	return a;
}

static void no_address_of_the_internet(void **state UNUSED)
{
	static const char *const inside[] = {"0.0.0.0",
	                                     "0.1.2.3",
	                                     "10.0.0.1",
	                                     "100.127.255.255",
	                                     "127.0.0.53",
	                                     "169.254.169.254",
	                                     "172.31.255.255",
	                                     "192.168.1.1",
	                                     "224.0.0.1",
	                                     "255.255.255.255",
	                                     "::",
	                                     "::1",
	                                     "::ffff:10.0.0.1",
	                                     "::ffff:127.0.0.1",
	                                     "fd00::1",
	                                     "fe80::1",
	                                     "ff02::1",
	                                     "64:ff9b::7f00:1",
	                                     "64:ff9b::a00:1",
	                                     "64:ff9b::c0a8:101",
	                                     "64:ff9b::a9fe:a9fe",
	                                     "64:ff9b:1::1"};
	static const char *const outside[] = {"1.1.1.1",     "9.255.255.255",   "11.0.0.1",         "100.63.255.255",
	                                      "100.128.0.0", "126.0.0.1",       "172.15.255.255",   "172.32.0.0",
	                                      "192.0.2.1",   "192.167.255.255", "223.255.255.255",  "::ffff:192.0.2.1",
	                                      "2001:db8::1", "2606:4700::1111", "64:ff9b::c000:201"};

	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		struct net_address a = address(inside[i]);
		if (!inside_is_private(&a))
			fail_msg("%s", inside[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
		struct net_address a = address(outside[i]);
		if (inside_is_private(&a))
			fail_msg("%s", outside[i]);
	}
}

static bool is_local(const struct net_address *a)
{
	struct net_address ours = address("198.51.100.1");

	return net_address_equal_host(a, &ours);
}

static void ours(void **state UNUSED)
{
	struct config_listen listen = {.address = address("192.0.2.99")};
	struct config c = {.listens = &listen, .listens_n = 1};
	struct net_address listened = address("192.0.2.99"), here = address("198.51.100.1"), all = address("0.0.0.0"),
			   other = address("192.0.2.98");

	assert_true(inside_is_ours(&c, NULL, &listened));
	assert_true(inside_is_ours(&c, NULL, &all));
	assert_false(inside_is_ours(&c, NULL, &here));
	assert_true(inside_is_ours(&c, is_local, &here));
	assert_false(inside_is_ours(&c, is_local, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_address_of_the_internet),
		cmocka_unit_test(ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
