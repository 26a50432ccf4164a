/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <string.h>

#include "rt/net.h"

static struct net_address parse(const char *z)
{
	struct net_address a;

	assert_int_equal(net_address_parse(str_from(z), &a), OK);
	return a;
}

static void round_trip(const char *in, const char *want, const char *want_host)
{
	struct net_address a = parse(in);
	BUF(text, 200);

	net_address_print(&text, &a);
	assert_str(buf_str(&text), want);
	buf_reset(&text);
	net_address_host(&text, &a);
	assert_str(buf_str(&text), want_host);
}

static void test_round_trips(void **state UNUSED)
{
	round_trip("192.0.2.1:25", "192.0.2.1:25", "192.0.2.1");
	round_trip("0.0.0.0:0", "0.0.0.0:0", "0.0.0.0");
	round_trip("[::1]:65535", "[::1]:65535", "::1");
	round_trip("[2001:DB8:0::25]:25", "[2001:db8::25]:25", "2001:db8::25");
	round_trip("[::ffff:192.0.2.1]:25", "192.0.2.1:25", "192.0.2.1");
	round_trip("unix:/run/a b.sock", "unix:/run/a b.sock", "unix");
}

static void test_no_addresses(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		":",
		"25",
		":25",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:65536",
		"192.0.2.1:2 5",
		"192.0.2.1:-1",
		"192.0.2.256:25",
		"192.0.2:25",
		"mail.example.org:25",
		"::1:25",
		"[::1]",
		"[::1]25",
		"[]:25",
		"[::1:25",
		"::1]:25",
		"[192.0.2.1]:25",
		"unix:",
		"[fe80::1%lo]:25",
		"192.0.2.1 :25",
		"*:25",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:25",
	};
	struct net_address a;
	char path[200] = "unix:/";

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_address_parse(str_from(bad[i]), &a), E_SYNTAX);
	assert_int_equal(net_address_parse(STR("127.0.0.1\0:25"), &a), E_SYNTAX);
	assert_int_equal(net_address_parse(STR("unix:/a\0b"), &a), E_SYNTAX);
	memset(path + 6, 'x', sizeof(path) - 7);
	assert_int_equal(net_address_parse(str_from(path), &a), E_SYNTAX);
}

static void test_loopback(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{"127.0.0.1:1", true},  {"127.9.9.9:1", true},
		{"128.0.0.1:1", false}, {"[::1]:1", true},
		{"[::2]:1", false},     {"[::ffff:127.0.0.1]:1", true},
		{"unix:/x", true},      {"[::ffff:10.0.0.1]:1", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_address a = parse(cases[i].text);

		assert_int_equal(net_address_is_loopback(&a), cases[i].is);
	}
}

static bool same_host(const char *x, const char *y)
{
	struct net_address a = parse(x), b = parse(y);

	return net_address_equal_host(&a, &b);
}

static bool same_key(const char *x, const char *y)
{
	struct net_address a = parse(x), b = parse(y);

	return str_equal(net_address_key(&a), net_address_key(&b));
}

static void test_hosts_and_keys(void **state UNUSED)
{
	assert_true(same_host("192.0.2.1:25", "192.0.2.1:26"));
	assert_true(same_host("192.0.2.1:25", "[::ffff:192.0.2.1]:1"));
	assert_false(same_host("192.0.2.1:25", "192.0.2.2:25"));
	assert_false(same_host("[2001:db8::1]:25", "[2001:db8::2]:25"));
	assert_true(same_key("[2001:db8::1]:25", "[2001:db8::2]:25")); /* one /64 */
	assert_false(same_key("[2001:db8:0:1::1]:25", "[2001:db8:0:2::1]:25"));
	assert_true(same_key("192.0.2.1:25", "[::ffff:192.0.2.1]:1"));
	assert_true(same_key("unix:/a", "unix:/b"));
	assert_false(same_key("unix:/a", "117.110.105.120:1"));
}

static void test_no_address(void **state UNUSED)
{
	struct net_address none = {0};
	BUF(text, 100);

	net_address_print(&text, &none);
	assert_str(buf_str(&text), "unknown");
	assert_false(net_address_is_loopback(&none));
	assert_int_equal(net_address_key(&none).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips), cmocka_unit_test(test_no_addresses),
		cmocka_unit_test(test_loopback),    cmocka_unit_test(test_hosts_and_keys),
		cmocka_unit_test(test_no_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
