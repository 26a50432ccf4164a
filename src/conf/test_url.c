/* SPDX-License-Identifier: ISC */
#include "conf/url.h"

#include "base/test.h"

static void expect(const char *text, const char *host, uint16_t port, bool plain, bool loopback)
{
	struct url u;

	assert_int_equal(url_parse(str_from(text), &u), OK);
	assert_str(u.host, host);
	assert_int_equal(u.port, port);
	assert_int_equal(u.plain, plain);
	assert_int_equal(u.loopback, loopback);
}

static void good(void **state UNUSED)
{
	expect("https://idp.example/keys", "idp.example", 443, false, false);
	expect("https://idp.example", "idp.example", 443, false, false);
	expect("HTTPS://idp.example:8443/a?b=c:d@e", "idp.example", 8443, false, false);
	expect("https://idp.example?x=/", "idp.example", 443, false, false);
	expect("https://[2001:db8::1]:444/", "2001:db8::1", 444, false, false);
	expect("https://192.0.2.1/", "192.0.2.1", 443, false, false);
	expect("http://127.0.0.1:8080/keys", "127.0.0.1", 8080, true, true);
	expect("http://[::1]/", "::1", 80, true, true);
	expect("http://LocalHost/", "LocalHost", 80, true, true);
	expect("https://localhost/", "localhost", 443, false, true);
}

static void bad(void **state UNUSED)
{
	static const char *const texts[] = {
		"",
		"idp.example",
		"ftp://idp.example/",
		"https://",
		"https:///keys",
		"https://user@idp.example/",
		"https://user:pass@idp.example/",
		"https://idp.example:0/",
		"https://idp.example:/",
		"https://idp.example:65536/",
		"https://idp.example:44x/",
		"https://idp.example/#fragment",
		"https://idp.example/a b",
		"https://idp.example/\x01",
		"https://idp.example/\xc3\xa9",
		"https://[::1/",
		"https://[idp.example]/",
		"https://[192.0.2.1]/",
		"https://2001:db8::1/",
		"https://idp_example/",
		"https://idp.example\\@other.example/",
		"http://idp.example/",
		"http://192.0.2.1/",
		"http://localhost.example/",
		"http://127.0.0.1.example/",
	};
	struct url u;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (url_parse(str_from(texts[i]), &u) != E_SYNTAX)
			fail_msg("taken: %s", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
