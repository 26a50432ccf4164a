/* SPDX-License-Identifier: ISC */
#include "rt/certificate.h"

#include "base/test.h"
#include "rt/private_key.h"
#include "rt/rt.h"

#define HOUR INT64_C(3600000000)
#define YEAR (365 * 24 * HOUR)

static void facts(void **state)
{
	(void)state;
	BUF(key, 8192);
	BUF(chain, 8192);
	struct certificate_facts f, again;

	assert_int_equal(private_key_make(STR("mx.example.org"), &key, &chain), OK);
	assert_int_equal(certificate_look(buf_str(&chain), STR("mx.example.org"), &f), OK);
	assert_true(f.names);
	assert_int_equal(strlen(f.fingerprint), CERTIFICATE_FINGERPRINT);
	assert_in_range(f.begins, rt_wall() - 2 * HOUR, rt_wall());
	assert_in_range(f.ends, rt_wall() + 9 * YEAR, rt_wall() + 11 * YEAR);
	assert_int_equal(certificate_look(buf_str(&chain), STR("other.example.org"), &again), OK);
	assert_false(again.names);
	assert_string_equal(again.fingerprint, f.fingerprint);
	assert_int_equal(certificate_look(buf_str(&chain), STR(""), &again), OK);
	assert_false(again.names);
	assert_int_equal(certificate_look(buf_str(&key), STR(""), &again), E_SYNTAX);
	assert_int_equal(certificate_look(STR(""), STR(""), &again), E_SYNTAX);
}

#define HALF "0123456789abcdef0123456789abcdef"

static void fingerprints(void **state)
{
	(void)state;
	char out[CERTIFICATE_FINGERPRINT + 1];
	static const char *const bad[] = {
		"", HALF, HALF HALF "0", HALF HALF ":", ":" HALF HALF, HALF "g" HALF, "0:" HALF HALF};

	assert_true(certificate_fingerprint_parse(STR(HALF HALF), out));
	assert_string_equal(out, HALF HALF);
	assert_true(certificate_fingerprint_parse(STR("01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:" HALF), out));
	assert_string_equal(out, HALF HALF);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(certificate_fingerprint_parse(str_from(bad[i]), out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts),
		cmocka_unit_test(fingerprints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
