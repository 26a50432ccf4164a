/* SPDX-License-Identifier: ISC */
/* RFC 8601 3 */
#include "base/test.h"

#include <stdio.h>

#include "mailauth/iprev.h"
#include "mailauth/vector_dns.h"

static struct vector_dns dns;
static struct arena memory;
static struct iprev_result result;

static const char *const zone[] = {
	"1.2.0.192.in-addr.arpa PTR Mail.Example.com",
	"mail.example.com A 192.0.2.1",
	"mail.example.com A 192.0.2.7",
	"mail.example.com AAAA 2001:db8::1",
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR mail.example.com",
	"2.2.0.192.in-addr.arpa PTR liar.example.com",
	"2.2.0.192.in-addr.arpa PTR nobody.example.com",
	"liar.example.com A 192.0.2.1",
	"3.2.0.192.in-addr.arpa PTR dead.example.com",
	"dead.example.com TIMEOUT",
	"4.2.0.192.in-addr.arpa TIMEOUT",
	"6.2.0.192.in-addr.arpa PTR 192.0.2.6",
	"7.2.0.192.in-addr.arpa PTR dead.example.com",
	"7.2.0.192.in-addr.arpa PTR mail.example.com",
	NULL,
};

static enum auth_result check(const char *client)
{
	struct resolver resolver = vector_resolver(&dns);
	struct net_address address;

	assert_int_equal(net_address_parse(str_from(client), &address), OK);
	assert_int_equal(iprev_check(&resolver, &address, RT_NEVER, &memory, &result), OK);
	return result.result;
}

static void test_results(void **state UNUSED)
{
	memory = ARENA_INIT(64 << 10);
	vector_zone(&dns, zone);
	assert_int_equal(check("192.0.2.1:25"), AUTH_PASS);
	assert_str(result.name, "mail.example.com");
	assert_int_equal(check("[2001:db8::1]:25"), AUTH_PASS);
	assert_int_equal(check("[::ffff:192.0.2.1]:25"), AUTH_PASS);
	assert_int_equal(check("192.0.2.2:25"), AUTH_FAIL);
	assert_str(result.name, "liar.example.com");
	assert_int_equal(check("192.0.2.3:25"), AUTH_TEMPERROR);
	assert_int_equal(check("192.0.2.4:25"), AUTH_TEMPERROR);
	assert_int_equal(check("192.0.2.5:25"), AUTH_PERMERROR);
	assert_int_equal(result.name.n, 0);
	assert_int_equal(check("192.0.2.6:25"), AUTH_FAIL); /* no name of a host */
	assert_int_equal(check("192.0.2.7:25"), AUTH_PASS); /* one of them is enough */
	assert_int_equal(check("unix:/run/x"), AUTH_PERMERROR);
	vector_dns_clear(&dns);
	arena_free(&memory);
}

/* Ten names are looked at, whoever has more. */
static void test_many_names(void **state UNUSED)
{
	char line[100];

	memory = ARENA_INIT(64 << 10);
	for (int i = 0; i < 50; i++) {
		(void)snprintf(line, sizeof(line), "1.2.0.192.in-addr.arpa PTR n%d.example.com", i);
		vector_zone_line(&dns, line);
	}
	vector_zone_line(&dns, "n10.example.com A 192.0.2.1");
	dns.asked = 0;
	assert_int_equal(check("192.0.2.1:25"), AUTH_FAIL);
	assert_int_equal(dns.asked, 11);
	vector_dns_clear(&dns);
	arena_free(&memory);
}

static void run(void *arg)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_results), cmocka_unit_test(test_many_names)};

	*(int *)arg = cmocka_run_group_tests_name("iprev", tests, NULL, NULL);
}

int main(void)
{
	int failed = 1;

	return rt_run_simulated(1, run, &failed) == OK ? failed : 1;
}
