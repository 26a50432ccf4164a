/* SPDX-License-Identifier: ISC */
#include "spam/url.h"

#include "base/test.h"

static void hosts(void **state UNUSED)
{
	static const struct {
		const char *url, *name; /* NULL: none */
		bool address, user;
	} cases[] = {
		{"http://Example.ORG/path", "example.org", false, false},
		{"https://a.example:8080?x", "a.example", false, false},
		{"http:\\\\a.example\\x", "a.example", false, false},
		{"http:///a.example", "a.example", false, false},
		{"//a.example/x", "a.example", false, false},
		{"www.a.example/x", "www.a.example", false, false},
		{"http://bank.example@evil.example/", "evil.example", false, true},
		{"http://a:b@c@evil.example/", "evil.example", false, true},
		{"http://%65vil.example/", "evil.example", false, false},
		{"http://a.example./", "a.example", false, false},
		{"http://b\xc3\xbc"
	         "cher.example/",
	         "xn--bcher-kva.example", false, false},
		{"http://192.0.2.1/", "192.0.2.1", true, false},
		{"http://3221225985/", "192.0.2.1", true, false},
		{"http://0xc0.0.513/", "192.0.2.1", true, false},
		{"http://0300.0.2.1/", "192.0.2.1", true, false},
		{"http://[2001:DB8::1]:80/", "[2001:db8::1]", true, false},
		{"http://192.0.2.256/", NULL, false, false},
		{"http://1.2.3.4.5/", NULL, false, false},
		{"http://localhost/", NULL, false, false},
		{"http://", NULL, false, false},
		{"http://[::1", NULL, false, false},
		{"mailto:a@b.example", NULL, false, false},
		{"javascript:alert(1)", NULL, false, false},
		{"/relative", NULL, false, false},
		{"", NULL, false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ARENA(a, 4096);
		struct url_host h;
		bool found = url_host(str_from(cases[i].url), &a, &h);

		if (found != (cases[i].name != NULL))
			fail_msg("%s: " STR_FMT, cases[i].url, STR_ARG(h.name));
		if (!found)
			continue;
		assert_str(h.name, cases[i].name);
		assert_int_equal(h.address, cases[i].address);
		assert_int_equal(h.user, cases[i].user);
	}
}

static void in_text(void **state UNUSED)
{
	str text = STR("see http://a.example/x, or <https://b.example> and www.c.example; awww.d.example "
	               "(http://e.example/f)");

	assert_str(url_next(&text), "http://a.example/x,");
	assert_str(url_next(&text), "https://b.example");
	assert_str(url_next(&text), "www.c.example;");
	assert_str(url_next(&text), "http://e.example/f");
	assert_int_equal(url_next(&text).n, 0);
	assert_int_equal(url_next(&text).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(in_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
