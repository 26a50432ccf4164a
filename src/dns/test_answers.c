/* SPDX-License-Identifier: ISC */
/* The typed questions, over a resolver that says what each test wants. */
#include "base/test.h"

#include <netinet/in.h>

#include "dns/fake.h"

enum { RECORDS = 200 };

static struct dns_record records[RECORDS];
static struct fake_dns fake;
static struct resolver resolver;
static struct dns_answer answer;
static struct arena memory;
static size_t n;

static int begin(void **state UNUSED)
{
	fake = (struct fake_dns){.reply = {.records = records, .security = DNS_SECURE, .ttl = 300}};
	resolver = fake_resolver(&fake);
	memory = ARENA_INIT(1 << 20);
	return 0;
}

static int end(void **state UNUSED)
{
	arena_free(&memory);
	return 0;
}

/* A literal with the octets of a record. */
#define RECORD(literal) (records[fake.reply.records_n++].data = STR(literal))

static err ask_mx(struct dns_mx **out)
{
	return dns_mx(&resolver, STR("example.com"), &memory, RT_NEVER, &answer, out, &n);
}

static void mx_by_preference(void **state UNUSED)
{
	struct dns_mx *mx;

	RECORD("\0\x14\4late\7example\3com\0");
	RECORD("\0\x0a\4MAIL\7example\3COM\0");
	RECORD("\0\x0f\6middle\7example\3com\0");
	assert_int_equal(ask_mx(&mx), OK);
	assert_int_equal(n, 3);
	assert_int_equal(mx[0].preference, 10);
	assert_str(mx[0].host, "mail.example.com");
	assert_str(mx[1].host, "middle.example.com");
	assert_str(mx[2].host, "late.example.com");
	assert_str(str_from(fake.asked), "example.com");
	assert_int_equal(fake.type, DNS_MX);
	assert_int_equal(answer.security, DNS_SECURE);
	assert_int_equal(answer.ttl, 300);
	assert_str(answer.canonical, "example.com");
}

/* RFC 5321 5.1: the load is spread. */
static void equal_mx_in_random_order(void **state UNUSED)
{
	struct dns_mx *mx;
	int first_is_a = 0;

	RECORD("\0\x0a\1a\0");
	RECORD("\0\x0a\1b\0");
	RECORD("\0\x05\1c\0");
	for (int i = 0; i < 200; i++) {
		assert_int_equal(ask_mx(&mx), OK);
		assert_str(mx[0].host, "c");
		first_is_a += str_equal(mx[1].host, STR("a"));
	}
	assert_in_range(first_is_a, 50, 150);
}

/* RFC 7505 */
static void null_mx(void **state UNUSED)
{
	struct dns_mx *mx;

	RECORD("\0\0\0");
	assert_int_equal(ask_mx(&mx), OK);
	assert_int_equal(n, 1);
	assert_int_equal(mx[0].host.n, 0);
	RECORD("\0\x0a\1b\0");
	assert_int_equal(ask_mx(&mx), OK);
	assert_int_equal(n, 1);
	assert_str(mx[0].host, "b");
}

/* Nothing of them may be used, and nothing be read behind their end. */
static void malformed_mx(void **state UNUSED)
{
	static const struct dns_record bad[] = {
		{STR("")},
		{STR("\0")},
		{STR("\0\x0a")},
		{STR("\0\x0a\4mail")},     /* does not end */
		{STR("\0\x0a\4mai")},      /* label beyond the end */
		{STR("\0\x0a\4mail\0x")},  /* something behind it */
		{STR("\0\x0a\xc0\x0c")},   /* compressed */
		{STR("\0\x0a\5ma\0il\0")}, /* NUL */
		{STR("\0\x0a\5ma.il\0")},  /* a dot in a label */
		{STR("\0\x0a\5ma il\0")},
		{STR("\0\x0a\5ma\r\nx\0")},
		{STR("\0\x0a\4m\xc3\xa4x\0")},
		{STR("\0\x0a\3192\1\060\0012\0011\0")}, /* 192.0.2.1 */
	};
	struct dns_mx *mx;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		records[0] = bad[i];
		fake.reply.records_n = 1;
		if (ask_mx(&mx) != E_SYNTAX)
			fail_msg("record %zu was taken", i);
		assert_int_equal(err_info()->reply, 451);
		assert_string_equal(err_info()->status, "4.4.3");
	}
	RECORD("\0\x0a\4mail\0"); /* the good one beside a bad one */
	assert_int_equal(ask_mx(&mx), OK);
	assert_int_equal(n, 1);
	assert_str(mx[0].host, "mail");
}

static void long_names(void **state UNUSED)
{
	BUF(longest, 300);
	BUF(longer, 300);
	struct dns_mx *mx;

	buf_put(&longest, STR("\0\x0a"));
	for (int i = 0; i < 127; i++) /* 253 characters as text */
		buf_put(&longest, STR("\1a"));
	buf_put(&longer, buf_str(&longest));
	buf_put(&longest, STR("\0"));
	buf_put(&longer, STR("\1a\0"));
	records[fake.reply.records_n++].data = buf_str(&longest);
	assert_int_equal(ask_mx(&mx), OK);
	assert_int_equal(mx[0].host.n, DNS_NAME_MAX);
	records[0].data = buf_str(&longer);
	assert_int_equal(ask_mx(&mx), E_SYNTAX);
}

static void too_many_records(void **state UNUSED)
{
	struct dns_mx *mx;

	for (size_t i = 0; i < DNS_RECORDS_MAX; i++)
		RECORD("\0\x0a\1b\0");
	assert_int_equal(ask_mx(&mx), OK);
	assert_int_equal(n, DNS_RECORDS_MAX);
	RECORD("\0\x0a\1b\0");
	assert_int_equal(ask_mx(&mx), E_SYNTAX);
}

struct verdict {
	err error;
	uint64_t rcode, security;
	err want;
	int reply;
	const char *status;
};

static void errors(void **state UNUSED)
{
	static const struct verdict list[] = {
		{OK, 3, DNS_SECURE, E_NOT_FOUND, 550, "5.1.2"},
		{OK, 0, DNS_INSECURE, E_NOT_FOUND, 550, "5.1.2"}, /* no record of this type */
		{OK, 2, DNS_INSECURE, E_TEMP, 451, "4.4.3"},
		{OK, 5, DNS_INSECURE, E_TEMP, 451, "4.4.3"},
		{OK, 2, DNS_BOGUS, E_DENIED, 451, "4.7.5"},
		{OK, 0, DNS_BOGUS, E_DENIED, 451, "4.7.5"},
		{E_TEMP, 0, 0, E_TEMP, 451, "4.4.3"},
		{E_TIMEOUT, 0, 0, E_TEMP, 451, "4.4.3"},
		{E_DENIED, 0, 0, E_TEMP, 451, "4.4.3"}, /* it does not serve us: that is not bogus */
		{E_MEMORY, 0, 0, E_TEMP, 451, "4.4.3"},
	};
	struct dns_mx *mx;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		fake.error = list[i].error;
		fake.reply.rcode = list[i].rcode;
		fake.reply.security = list[i].security;
		fake.reply.why = STR("signature expired");
		assert_int_equal(ask_mx(&mx), list[i].want);
		assert_int_equal(err_info()->reply, list[i].reply);
		assert_string_equal(err_info()->status, list[i].status);
		assert_int_equal(n, 0);
		if (list[i].error == OK && list[i].security == DNS_SECURE)
			assert_int_equal(answer.security, DNS_SECURE); /* the denial was proved */
		if (list[i].want == E_DENIED)
			assert_non_null(strstr(err_info()->text, "signature expired"));
	}
	fake.error = E_CANCELLED;
	assert_int_equal(ask_mx(&mx), E_CANCELLED);
	resolver = (struct resolver){0}; /* nobody is there */
	assert_int_equal(ask_mx(&mx), E_TEMP);
}

static void addresses(void **state UNUSED)
{
	struct net_address *list;
	BUF(text, 200);

	RECORD("\300\0\2\1");
	RECORD("\300\0\2");
	RECORD("\300\0\2\1\1");
	assert_int_equal(dns_addresses(&resolver, STR("a"), AF_INET, 25, &memory, RT_NEVER, &answer, &list, &n), OK);
	assert_int_equal(fake.type, DNS_A);
	assert_int_equal(n, 1);
	net_address_print(&text, &list[0]);
	assert_str(buf_str(&text), "192.0.2.1:25");
	buf_reset(&text);
	fake.reply.records_n = 0;
	RECORD("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	assert_int_equal(dns_addresses(&resolver, STR("a"), AF_INET6, 465, &memory, RT_NEVER, &answer, &list, &n), OK);
	assert_int_equal(fake.type, DNS_AAAA);
	net_address_print(&text, &list[0]);
	assert_str(buf_str(&text), "[2001:db8::1]:465");
	records[0].data = STR("\300\0\2\1");
	assert_int_equal(dns_addresses(&resolver, STR("a"), AF_INET6, 0, &memory, RT_NEVER, &answer, &list, &n),
	                 E_SYNTAX);
}

static void txt(void **state UNUSED)
{
	str *list;

	RECORD("\6v=STS1\4; id\0");
	RECORD("\0");
	RECORD("\5v=ST");
	RECORD("");
	assert_int_equal(dns_txt(&resolver, STR("_mta-sts.a"), &memory, RT_NEVER, &answer, &list, &n), OK);
	assert_int_equal(n, 2);
	assert_str(list[0], "v=STS1; id");
	assert_int_equal(list[1].n, 0);
}

static void tlsa(void **state UNUSED)
{
	struct dns_tlsa *list;

	RECORD("");
	RECORD("\3");
	RECORD("\3\1");
	RECORD("\3\1\1");
	assert_int_equal(dns_tlsa(&resolver, STR("_25._tcp.a"), &memory, RT_NEVER, &answer, &list, &n), E_SYNTAX);
	RECORD("\3\1\2digest");
	assert_int_equal(dns_tlsa(&resolver, STR("_25._tcp.a"), &memory, RT_NEVER, &answer, &list, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].usage, 3);
	assert_int_equal(list[0].selector, 1);
	assert_int_equal(list[0].matching, 2);
	assert_str(list[0].data, "digest");
}

static void srv(void **state UNUSED)
{
	struct dns_srv *list;
	int heavy_first = 0;

	RECORD("\0\2\0\0\x02\x4b\4last\0");
	RECORD("\0\1\0\x64\x02\x4b\5heavy\0");
	RECORD("\0\1\0\x0a\x02\x4b\5light\0");
	RECORD("\0\1\0\x0a\x02");
	for (int i = 0; i < 200; i++) {
		assert_int_equal(dns_srv(&resolver, STR("_submissions._tcp.a"), &memory, RT_NEVER, &answer, &list, &n),
		                 OK);
		assert_int_equal(n, 3);
		assert_str(list[2].host, "last");
		assert_int_equal(list[2].port, 587);
		heavy_first += str_equal(list[0].host, STR("heavy"));
	}
	assert_in_range(heavy_first, 150, 199);
	fake.reply.records_n = 0;
	RECORD("\0\0\0\0\0\0\0");
	assert_int_equal(dns_srv(&resolver, STR("a"), &memory, RT_NEVER, &answer, &list, &n), OK);
	assert_int_equal(list[0].host.n, 0);
}

static str ask_ptr(const char *address)
{
	struct net_address a;
	str *list;

	assert_int_equal(net_address_parse(str_from(address), &a), OK);
	return dns_ptr(&resolver, &a, &memory, RT_NEVER, &answer, &list, &n) == OK ? list[0] : STR_NONE;
}

static void ptr(void **state UNUSED)
{
	RECORD("\4mail\7example\3com\0");
	assert_str(ask_ptr("192.0.2.17:25"), "mail.example.com");
	assert_str(str_from(fake.asked), "17.2.0.192.in-addr.arpa");
	assert_str(ask_ptr("[2001:db8::1]:25"), "mail.example.com");
	assert_str(str_from(fake.asked), "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
	assert_str(ask_ptr("[::ffff:192.0.2.1]:25"), "mail.example.com");
	assert_str(str_from(fake.asked), "1.2.0.192.in-addr.arpa");
	assert_str(ask_ptr("unix:/run/x"), "");
	records[0].data = STR("\0");
	assert_str(ask_ptr("192.0.2.17:25"), "");
}

static void run(void *arg)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(mx_by_preference, begin, end),
		cmocka_unit_test_setup_teardown(equal_mx_in_random_order, begin, end),
		cmocka_unit_test_setup_teardown(null_mx, begin, end),
		cmocka_unit_test_setup_teardown(malformed_mx, begin, end),
		cmocka_unit_test_setup_teardown(long_names, begin, end),
		cmocka_unit_test_setup_teardown(too_many_records, begin, end),
		cmocka_unit_test_setup_teardown(errors, begin, end),
		cmocka_unit_test_setup_teardown(addresses, begin, end),
		cmocka_unit_test_setup_teardown(txt, begin, end),
		cmocka_unit_test_setup_teardown(tlsa, begin, end),
		cmocka_unit_test_setup_teardown(srv, begin, end),
		cmocka_unit_test_setup_teardown(ptr, begin, end),
	};

	*(int *)arg = cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}

int main(void)
{
	int failed = 1;

	/* the same dice each time */
	return rt_run_simulated(1, run, &failed) == OK ? failed : 1;
}
