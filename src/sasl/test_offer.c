/* SPDX-License-Identifier: ISC */
#include "sasl/offer.h"

#include "base/test.h"

static void check(struct sasl_offer o, const char *want)
{
	BUF(out, 200);

	sasl_offered(&o, &out);
	assert_str(buf_str(&out), want);
}

static void what_is_offered(void **state)
{
	(void)state;
	check((struct sasl_offer){0}, "");
	check((struct sasl_offer){.binding = true, .sha1 = true}, "");
	check((struct sasl_offer){.loopback = true}, "SCRAM-SHA-256 PLAIN LOGIN");
	check((struct sasl_offer){.loopback = true, .binding = true}, "SCRAM-SHA-256 PLAIN LOGIN");
	check((struct sasl_offer){.tls = true}, "SCRAM-SHA-256 PLAIN LOGIN");
	check((struct sasl_offer){.tls = true, .binding = true}, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN");
	check((struct sasl_offer){.tls = true, .sha1 = true}, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN");
	check((struct sasl_offer){.tls = true, .certificate = true}, "SCRAM-SHA-256 PLAIN LOGIN EXTERNAL");
	check((struct sasl_offer){.loopback = true, .certificate = true}, "SCRAM-SHA-256 PLAIN LOGIN");
	check((struct sasl_offer){.tls = true, .oauth = true}, "SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN");
	check((struct sasl_offer){.loopback = true, .oauth = true}, "SCRAM-SHA-256 PLAIN LOGIN");
}

static void each_is_offered(void **state)
{
	struct sasl_offer o = {.tls = true};
	(void)state;

	assert_true(sasl_is_offered(&o, STR("plain")));
	assert_true(sasl_is_offered(&o, STR("SCRAM-SHA-256")));
	assert_false(sasl_is_offered(&o, STR("SCRAM-SHA-256-PLUS")));
	assert_false(sasl_is_offered(&o, STR("SCRAM-SHA-1")));
	assert_false(sasl_is_offered(&o, STR("GSSAPI")));
	assert_false(sasl_is_offered(&o, STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_offered), cmocka_unit_test(each_is_offered)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
