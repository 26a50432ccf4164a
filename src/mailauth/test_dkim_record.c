/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_record.h"

#include "base/test.h"

static void test_records(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct dkim_record r;

	assert_int_equal(dkim_record_parse(STR("v=DKIM1; k=ed25519; p=AA EC\r\n AwQ="), &a, &r), OK);
	assert_true(r.ed25519 && !r.testing && !r.strict);
	assert_int_equal(r.octets.n, 5);
	assert_int_equal(dkim_record_parse(STR("p=AAEC;t=y:s:x;h=sha1 : sha256;s=tlsrpt:email;n=a note;g=*"), &a, &r),
	                 OK);
	assert_true(!r.ed25519 && r.testing && r.strict);
	assert_int_equal(dkim_record_parse(STR("v=DKIM1; s=*; p="), &a, &r), OK); /* RFC 6376 3.6.1: revoked */
	assert_int_equal(r.octets.n, 0);
}

static void test_malformed(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"v=DKIM1",
		"v=DKIM2; p=AAEC",
		"v=dkim1; p=AAEC",
		"p=AAEC; v=DKIM1",
		"k=dsa; p=AAEC",
		"h=sha1; p=AAEC",
		"s=tlsrpt; p=AAEC",
		"p=AAE",
		"p=A*EC",
		"p=AAEC; p=AAEC",
		"v=spf1 -all",
		"p=AAEC;;",
	};
	ARENA(a, 1 << 20);
	ARENA(small, 1);
	struct dkim_record r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (dkim_record_parse(str_from(bad[i]), &a, &r) != E_SYNTAX)
			fail_msg("%s", bad[i]);
	assert_int_equal(dkim_record_parse(STR("p=AAEC"), &small, &r), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
