/* SPDX-License-Identifier: ISC */
#include "sasl/oauth.h"

#include "base/encode.h"
#include "base/test.h"

static void bearer(str message, const char *authorization, const char *token)
{
	struct oauth_message m;
	ARENA(a, 1 << 16);

	assert_int_equal(oauth_bearer_parse(message, &a, &m), OK);
	assert_str(m.authorization, authorization);
	assert_str(m.token, token);
}

static void an_example(const char *base64, const char *token)
{
	BUF(message, 4096);

	assert_int_equal(base64_decode(&message, str_from(base64)), OK);
	bearer(buf_str(&message), "user@example.com", token);
}

/* RFC 7628 4.1, 4.3 */
static void examples(void **state UNUSED)
{
	an_example("bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyI"
	           "HZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB",
	           "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
	an_example("bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9AQE=", "");
}

static void bearers(void **state UNUSED)
{
	bearer(STR("n,,\1auth=Bearer t\1\1"), "", "t");
	bearer(STR("y,,\1auth=bEARER a-._~+/Z9==\1\1"), "", "a-._~+/Z9==");
	bearer(STR("n,a=a=2Cb=3Dc,\1auth=Bearer t\1\1"), "a,b=c", "t");
	bearer(STR("n,a=j\xc3\xb6rg@example.org,\1auth=Bearer t\1\1"), "j\xc3\xb6rg@example.org", "t");
	bearer(STR("n,,\1host=a b\1port=1\1auth=Bearer t\1qs=\1Other=x\ty\r\n\1\1"), "", "t");
}

static void no_bearers(void **state UNUSED)
{
	static const str raw[] = {
		STR(""),
		STR("\1"), /* the end of a failure, where there was none */
		STR("n"),
		STR("n,,"),
		STR("n,,\1"),
		STR("n,,\1\1"),
		STR("n,\1auth=Bearer t\1\1"),
		STR("p=tls-unique,,\1auth=Bearer t\1\1"),
		STR("F,n,,\1auth=Bearer t\1\1"),
		STR("N,,\1auth=Bearer t\1\1"),
		STR("n,b=x,\1auth=Bearer t\1\1"),
		STR("n,a=,\1auth=Bearer t\1\1"),
		STR("n,a=x=2,\1auth=Bearer t\1\1"),
		STR("n,a=x=2c,\1auth=Bearer t\1\1"),
		STR("n,a=x\xff,\1auth=Bearer t\1\1"),
		STR("n,a=x\n,\1auth=Bearer t\1\1"),
		STR("n,a=x\0y,\1auth=Bearer t\1\1"),
		STR("n,,\1auth=Bearer t\1"),
		STR("n,,\1auth=Bearer t"),
		STR("n,,\1auth=Bearer t\1\1\1"),
		STR("n,,\1auth=Bearer t\1\1x"),
		STR("n,,\1auth=Bearer t\1auth=Bearer u\1\1"),
		STR("n,,\1auth=\1auth=Bearer u\1\1"),
		STR("n,,\1=x\1auth=Bearer t\1\1"),
		STR("n,,\1a1=x\1auth=Bearer t\1\1"),
		STR("n,,\1host\1auth=Bearer t\1\1"),
		STR("n,,\1host=\x80\1auth=Bearer t\1\1"),
		STR("n,,\1auth=Bearer \1\1"),
		STR("n,,\1auth=Bearer\1\1"),
		STR("n,,\1auth=Bearer =\1\1"),
		STR("n,,\1auth=Bearer t u\1\1"),
		STR("n,,\1auth=Bearer t=u\1\1"),
		STR("n,,\1auth=Bearer  t\1\1"),
		STR("n,,\1auth=Basic dXNlcg==\1\1"),
		STR("n,,\1auth=OAuth realm=\"Example\"\1\1"),
		STR("n,,\1auth=Bearer t\r\n\1\1"),
	};
	struct oauth_message m;
	ARENA(a, 1 << 16);

	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		if (oauth_bearer_parse(raw[i], &a, &m) != E_SYNTAX)
			fail_msg("taken: the one with index %zu", i);
}

static void too_long(void **state UNUSED)
{
	struct oauth_message m;
	BUF(message, OAUTH_MESSAGE_MAX + 100);
	ARENA(a, 1 << 16);

	buf_puts(&message, "n,,\1auth=Bearer ");
	while (message.n < OAUTH_MESSAGE_MAX - 2)
		buf_putc(&message, 'a');
	buf_puts(&message, "\1\1");
	assert_int_equal(oauth_bearer_parse(buf_str(&message), &a, &m), OK);
	message.n -= 2;
	buf_puts(&message, "a\1\1");
	assert_int_equal(oauth_bearer_parse(buf_str(&message), &a, &m), E_SYNTAX);
	assert_int_equal(oauth_x_parse(buf_str(&message), &m), E_SYNTAX);
}

static void older(void **state UNUSED)
{
	static const str raw[] = {
		STR(""),
		STR("\1"),
		STR("user=a"),
		STR("user=a\1"),
		STR("user=\1auth=Bearer t\1\1"),
		STR("user=a\1auth=Bearer t\1"),
		STR("user=a\1auth=Bearer t\1\1x"),
		STR("user=a\1auth=Bearer \1\1"),
		STR("user=a\1auth=\1\1"),
		STR("user=a\1auth=Basic t\1\1"),
		STR("user=a\1host=x\1auth=Bearer t\1\1"),
		STR("user=a\xff\1auth=Bearer t\1\1"),
		STR("user=a\0b\1auth=Bearer t\1\1"),
		STR("auth=Bearer t\1user=a\1\1"),
	};
	struct oauth_message m;

	assert_int_equal(
		oauth_x_parse(
			STR("user=someuser@example.com\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\1\1"),
			&m),
		OK);
	assert_str(m.authorization, "someuser@example.com");
	assert_str(m.token, "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==");
	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		if (oauth_x_parse(raw[i], &m) != E_SYNTAX)
			fail_msg("taken: the one with index %zu", i);
}

static void refusals(void **state UNUSED)
{
	ARENA(a, 1 << 16);

	assert_str(oauth_bearer_refusal(STR(""), &a), "{\"status\":\"invalid_token\"}");
	assert_str(oauth_bearer_refusal(STR("a name"), &a), "{\"status\":\"invalid_token\"}");
	assert_str(oauth_bearer_refusal(STR("https://idp.example/x/"), &a),
	           "{\"status\":\"invalid_token\",\"openid-configuration\":\"https://idp.example/x/.well-known/"
	           "openid-configuration\"}");
	assert_str(oauth_x_refusal(), "{\"status\":\"401\",\"schemes\":\"bearer\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(examples),   cmocka_unit_test(bearers),
	                                   cmocka_unit_test(no_bearers), cmocka_unit_test(too_long),
	                                   cmocka_unit_test(older),      cmocka_unit_test(refusals)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
