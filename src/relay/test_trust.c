/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "relay/trust.h"

static void passwords(void **state UNUSED)
{
	struct named_file files[] = {
		{STR("/a"), STR("secret\nand a remark\n")}, {STR("/b"), STR("other\r\n")}, {STR("/c"), STR("last")}};
	struct trust *t;
	str password;

	assert_int_equal(trust_new(&(struct certify_request){.files = files, .files_n = 3}, &t), OK);
	assert_true(trust_password(t, STR("/a"), &password));
	assert_str(password, "secret");
	assert_true(trust_password(t, STR("/b"), &password));
	assert_str(password, "other");
	assert_true(trust_password(t, STR("/c"), &password));
	assert_str(password, "last");
	assert_false(trust_password(t, STR("/d"), &password));
	trust_release(trust_hold(t));
	assert_true(trust_password(t, STR("/a"), &password));
	trust_release(t);
}

static void authorities_that_are_none(void **state UNUSED)
{
	struct named_file files[] = {{STR("authorities"), STR("no certificate")}};
	struct trust *t;

	assert_int_equal(trust_new(&(struct certify_request){.files = files, .files_n = 1}, &t), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords),
		cmocka_unit_test(authorities_that_are_none),
	};

	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
