/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "dns/dns.h"
#include "dns/text.h"

static void names_of_types(void **state UNUSED)
{
	static const char *const names[] = {"A", "CNAME", "PTR", "MX", "TXT", "AAAA", "SRV", "TLSA", "TYPE64"};
	uint64_t type;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		BUF(out, 20);

		assert_true(dns_type_find(str_from(names[i]), &type));
		dns_type_put(&out, type);
		assert_str(buf_str(&out), names[i]);
	}
	assert_true(dns_type_find(STR("mx"), &type));
	assert_int_equal(type, DNS_MX);
	assert_false(dns_type_find(STR("TYPE65536"), &type));
	assert_false(dns_type_find(STR("TYPE"), &type));
	assert_false(dns_type_find(STR("NOPE"), &type));
	assert_false(dns_type_find(STR(""), &type));
}

#define IS(type, data, want)                            \
	do {                                            \
		BUF(is_out, 1000);                      \
		dns_data_put(&is_out, type, STR(data)); \
		assert_str(buf_str(&is_out), want);     \
	} while (0)

static void data(void **state UNUSED)
{
	IS(DNS_A, "\300\0\2\1", "192.0.2.1");
	IS(DNS_A, "\300\0\2", "\\# 3 c00002");
	IS(DNS_AAAA, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", "2001:db8::1");
	IS(DNS_MX, "\0\x0a\4mail\2ex\0", "10 mail.ex");
	IS(DNS_MX, "\0\0\0", "0 .");
	IS(DNS_MX, "\0\0", "\\# 2 0000");
	IS(DNS_MX, "", "\\# 0");
	IS(DNS_PTR, "\1a\0", "a");
	IS(DNS_SRV, "\0\1\0\2\2\x4b\1a\0", "1 2 587 a");
	IS(DNS_TXT, "\3a\"b\2\\\n", "\"a\\\"b\" \"\\\\\\010\"");
	IS(DNS_TXT, "\0", "\"\"");
	IS(DNS_TXT, "\3a", "\\# 2 0361");
	IS(DNS_TLSA, "\3\1\1\xab\xcd", "3 1 1 abcd");
	IS(DNS_TLSA, "\3\1\1", "\\# 3 030101");
	IS(64, "\0\1", "\\# 2 0001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_types),
		cmocka_unit_test(data),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
