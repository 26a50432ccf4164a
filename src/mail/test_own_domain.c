/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "mail/own_domain.h"

static void test_addresses(void **state UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	struct config *c = config_parse(STR("version 1\nhostname mx.example.org\ndomain example.org\ndomain b\xc3\xbc"
	                                    "cher.example\n"),
	                                "test", &faults);
	static const char *const none[] = {
		"", "alice", "alice@", "a@example.com", "a@sub.example.org", "a@[192.0.2.1]", "<alice@example.org>"};

	assert_non_null(c);
	assert_str(own_domain(c, STR("alice@example.org"))->name, "example.org");
	assert_str(own_domain(c, STR("\"a b\"@Example.ORG"))->name, "example.org");
	assert_str(own_domain(c, STR("a@b\xc3\xbc"
	                             "cher.example"))
	                   ->name,
	           "xn--bcher-kva.example");
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_null(own_domain(c, str_from(none[i])));
	config_release(c);
	buf_free(&faults.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
