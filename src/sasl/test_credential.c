/* SPDX-License-Identifier: ISC */
#include "sasl/credential.h"

#include "base/test.h"
#include "sasl/password.h"
#include "sasl/scram.h"

static void take(str *lines, const char *want, str *text)
{
	str kind;

	assert_true(credential_next(lines, &kind, text));
	assert_str(kind, want);
	assert_true(credential_is_kind(kind));
}

static void forms_of_a_password(void **state)
{
	BUF(out, 4096);
	struct scram_verifier v;
	str text;
	(void)state;

	assert_int_equal(credential_compute(STR("pencil"), STR("salt"), true, true, &out), OK);
	str lines = buf_str(&out);
	take(&lines, CREDENTIAL_PASSWORD, &text);
	assert_true(password_verify(STR("pencil"), text));
	take(&lines, CREDENTIAL_SHA256, &text);
	assert_int_equal(scram_verifier_parse(text, &v), OK);
	assert_str(scram_verifier_salt(&v), "salt");
	take(&lines, CREDENTIAL_SHA1, &text);
	assert_int_equal(scram_verifier_parse(text, &v), OK);
	assert_int_equal(lines.n, 0);
	assert_false(str_contains(buf_str(&out), STR("pencil")));
	buf_reset(&out);
	assert_int_equal(credential_compute(STR("pencil"), STR("salt"), false, false, &out), OK);
	lines = buf_str(&out);
	take(&lines, CREDENTIAL_SHA256, &text);
	assert_int_equal(lines.n, 0);
	assert_int_equal(credential_compute(STR(""), STR("salt"), true, false, &out), E_SYNTAX);
}

/* Kept in its normal form, so that it does not matter how it was typed. */
static void normal_form(void **state)
{
	BUF(out, 4096);
	str text;
	(void)state;

	assert_int_equal(credential_compute(STR("cafe\xcc\x81"), STR("salt"), true, false, &out), OK);
	str lines = buf_str(&out);
	take(&lines, CREDENTIAL_PASSWORD, &text);
	assert_true(password_verify(STR("caf\xc3\xa9"), text));
	assert_int_equal(credential_compute(STR("caf\xe9"), STR("salt"), true, false, &out), E_SYNTAX);
}

static void kinds(void **state)
{
	(void)state;
	assert_false(credential_is_kind(STR("secret"))); /* the store's own */
	assert_false(credential_is_kind(STR("")));
}

static void invented_passwords(void **state)
{
	BUF(one, 100);
	BUF(two, 100);
	(void)state;

	credential_invent(&one);
	credential_invent(&two);
	assert_int_equal(one.n, 23);
	assert_int_equal(one.p[5], '-');
	assert_false(str_equal(buf_str(&one), buf_str(&two)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_a_password),
		cmocka_unit_test(normal_form),
		cmocka_unit_test(kinds),
		cmocka_unit_test(invented_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
