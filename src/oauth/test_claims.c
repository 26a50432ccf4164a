/* SPDX-License-Identifier: ISC */
#include "oauth/claims.h"

#include "base/test.h"

#define NOW 1800000000

static const struct json_limits limits = {4096, 12, 100};
static const struct claims_rules strict = {
	.issuer = {"https://idp.example", 19}, .audience = {"mail", 4}, .user = {"email", 5}, .ends = true, .now = NOW};
static const struct claims_rules lenient = {.user = {"username", 8}, .now = NOW};

static err check(const char *json, const struct claims_rules *rules, const char *user)
{
	ARENA(a, 1 << 16);
	json_t *claims;
	struct claims c;

	assert_int_equal(json_read(str_from(json), &limits, "a test", &claims), OK);
	err e = claims_check(claims, rules, &a, &c);
	if (e == OK)
		assert_str(c.user, user);
	json_decref(claims);
	return e;
}

static void denied(const char *json, const struct claims_rules *rules, const char *why)
{
	assert_int_equal(check(json, rules, ""), E_DENIED);
	assert_string_equal(err_info()->text, why);
}

#define SAYS(more) "{\"iss\":\"https://idp.example\",\"aud\":\"mail\"," more "}"
#define ALICE      "\"email\":\"alice@example.org\""

static void good(void **state UNUSED)
{
	assert_int_equal(check(SAYS("\"exp\":1800000100," ALICE), &strict, "alice@example.org"), OK);
	assert_int_equal(check(SAYS("\"exp\":1.8000001e9,\"nbf\":0," ALICE ",\"email_verified\":true"), &strict,
	                       "alice@example.org"),
	                 OK);
	assert_int_equal(check(SAYS("\"exp\":1799999941,\"nbf\":1800000060," ALICE ",\"email_verified\":\"true\""),
	                       &strict, "alice@example.org"),
	                 OK); /* clocks differ */
	assert_int_equal(check("{\"iss\":\"https://idp.example\",\"aud\":[\"x\",\"mail\"],\"exp\":1900000000," ALICE
	                       "}",
	                       &strict, "alice@example.org"),
	                 OK);
	assert_int_equal(check("{\"username\":\"alice\",\"email_verified\":false}", &lenient, "alice"), OK);
	assert_int_equal(check("{\"username\":\"j\xc3\xb6rg@example.org\"}", &lenient, "j\xc3\xb6rg@example.org"), OK);
}

static void times(void **state UNUSED)
{
	denied(SAYS(ALICE), &strict, "the token never expires");
	denied(SAYS("\"exp\":1799999940," ALICE), &strict, "the token has expired");
	denied(SAYS("\"exp\":0," ALICE), &strict, "the token has expired");
	denied(SAYS("\"exp\":1900000000,\"nbf\":1800000061," ALICE), &strict, "the token is not valid yet");
	denied(SAYS("\"exp\":\"1900000000\"," ALICE), &strict, "a time of the token is none");
	denied(SAYS("\"exp\":-1," ALICE), &strict, "a time of the token is none");
	denied(SAYS("\"exp\":1e300," ALICE), &strict, "a time of the token is none");
	denied(SAYS("\"exp\":true," ALICE), &strict, "a time of the token is none");
	denied(SAYS("\"exp\":1900000000,\"nbf\":[]," ALICE), &strict, "a time of the token is none");
	denied("{\"exp\":1799999940,\"username\":\"alice\"}", &lenient, "the token has expired");
}

static void parties(void **state UNUSED)
{
	denied("{\"iss\":\"https://idp.example/\",\"aud\":\"mail\",\"exp\":1900000000," ALICE "}", &strict,
	       "the token is of another issuer");
	denied("{\"iss\":[\"https://idp.example\"],\"aud\":\"mail\",\"exp\":1900000000," ALICE "}", &strict,
	       "the token is of another issuer");
	denied("{\"aud\":\"mail\",\"exp\":1900000000," ALICE "}", &strict, "the token is of another issuer");
	denied("{\"iss\":\"https://idp.example\",\"exp\":1900000000," ALICE "}", &strict,
	       "the token is for another audience");
	denied("{\"iss\":\"https://idp.example\",\"aud\":\"Mail\",\"exp\":1900000000," ALICE "}", &strict,
	       "the token is for another audience");
	denied("{\"iss\":\"https://idp.example\",\"aud\":[[\"mail\"],1],\"exp\":1900000000," ALICE "}", &strict,
	       "the token is for another audience");
	denied(SAYS("\"exp\":1900000000,\"cnf\":{\"jkt\":\"x\"}," ALICE), &strict, "the token is bound to a key");
}

static void users(void **state UNUSED)
{
	denied(SAYS("\"exp\":1900000000"), &strict, "the token does not say whose it is");
	denied(SAYS("\"exp\":1900000000,\"email\":\"\""), &strict, "the token does not say whose it is");
	denied(SAYS("\"exp\":1900000000,\"email\":[\"alice@example.org\"]"), &strict,
	       "the token does not say whose it is");
	denied(SAYS("\"exp\":1900000000,\"email\":\"alice@example.org\\n\""), &strict,
	       "the token does not say whose it is");
	denied(SAYS("\"exp\":1900000000,\"email_verified\":false," ALICE), &strict,
	       "the address in the token is not verified");
	denied(SAYS("\"exp\":1900000000,\"email_verified\":1," ALICE), &strict,
	       "the address in the token is not verified");
	denied(SAYS("\"exp\":1900000000,\"email_verified\":null," ALICE), &strict,
	       "the address in the token is not verified");
	denied("[\"username\"]", &lenient, "the token does not say whose it is");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(times), cmocka_unit_test(parties),
	                                   cmocka_unit_test(users)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
