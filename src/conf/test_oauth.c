/* SPDX-License-Identifier: ISC */
/* The setting oauth: what it becomes, that it is printed as it is read, and what is wrong with it. */
#include "conf/fake.h"

static void introspect(void **state UNUSED)
{
	struct config *c =
		parse(HEAD "oauth introspect https://idp.example/introspect client \"mail server\" secret-file "
	                   "/etc/secret\n");

	assert_int_equal(c->oauth.kind, OAUTH_INTROSPECT);
	assert_str(c->oauth.url, "https://idp.example/introspect");
	assert_str(c->oauth.client, "mail server");
	assert_str(c->oauth.secret_file, "/etc/secret");
	assert_str(c->oauth.user, "email");
	assert_int_equal(c->oauth.cache, 60 * NSEC_PER_SEC);
	assert_int_equal(c->oauth.audience.n + c->oauth.issuer.n, 0);
	config_release(c);
}

static void jwks(void **state UNUSED)
{
	struct config *c =
		parse(HEAD "oauth jwks http://127.0.0.1:8080/keys {\n issuer https://idp.example\n audience mail\n"
	                   " user preferred_username\n}\n");

	assert_int_equal(c->oauth.kind, OAUTH_JWKS);
	assert_str(c->oauth.issuer, "https://idp.example");
	assert_str(c->oauth.audience, "mail");
	assert_str(c->oauth.user, "preferred_username");
	config_release(c);
	c = parse(HEAD);
	assert_int_equal(c->oauth.kind, OAUTH_NONE);
	config_release(c);
}

static void printed(void **state UNUSED)
{
	expect_printed(HEAD "oauth introspect https://a.example/i client \"a b\" secret-file /s audience m cache off\n",
	               "\noauth introspect https://a.example/i client \"a b\" secret-file /s audience m user email "
	               "cache off\n");
	expect_printed(HEAD "oauth jwks https://a.example/k issuer i audience m\n",
	               "\noauth jwks https://a.example/k issuer i audience m user email\n");
	expect_printed(HEAD "oauth introspect https://a.example/i client c secret-file /s\n", " cache 1m\n");
}

#define JWKS       "oauth jwks https://a.example/k issuer i audience m"
#define INTROSPECT "oauth introspect https://a.example/i client c secret-file /s"

static void faults(void **state UNUSED)
{
	expect_fault_at(JWKS "\noauth jwks https://b.example/k", "5:1: oauth is there twice, first at f:4:1");
	expect_fault_at("oauth jwk https://a.example/k issuer i audience m",
	                "4:7: oauth cannot be \"jwk\" (did you mean \"jwks\"?)");
	expect_fault_at("oauth jwks http://a.example/k issuer i audience m",
	                "4:12: \"http://a.example/k\": only https:// goes to another machine");
	expect_fault_at("oauth jwks https://a.example/k audience m", "1:1: oauth jwks needs issuer NAME");
	expect_fault_at("oauth jwks https://a.example/k issuer i",
	                "1:1: oauth jwks needs audience NAME: tokens for others are not for us");
	expect_fault_at(JWKS " client c secret-file /s", "1:1: oauth jwks has no client: nobody is asked");
	expect_fault_at(JWKS " cache 5s", "1:1: oauth jwks has no cache: keys are kept as long as they can be");
	expect_fault_at("oauth introspect https://a.example/i",
	                "1:1: oauth introspect needs client ID secret-file FILE");
	expect_fault_at(INTROSPECT " issuer i",
	                "1:1: oauth introspect has no issuer: the server that is asked knows it");
	expect_fault_at("oauth introspect https://a.example/i client c secret-file s",
	                "4:59: \"s\" is not an absolute path");
	expect_fault_at(INTROSPECT " cache 2h", "4:68: \"2h\" is too large for cache, the most is 1h");
	expect_fault_at(INTROSPECT " user \"a b\"", "4:67: \"a b\" is not the name of a claim, such as email");
	expect_fault_at(INTROSPECT " audience \"\"", "4:71: \"\" cannot be the audience");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(introspect), cmocka_unit_test(jwks),
	                                   cmocka_unit_test(printed), cmocka_unit_test(faults)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
