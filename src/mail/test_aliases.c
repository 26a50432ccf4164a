/* SPDX-License-Identifier: ISC */
#include "mail/aliases.h"

#include "base/test.h"

static void test_file(void **state UNUSED)
{
	static const char text[] = "# see aliases(5)\r\n"
				   "\n"
				   "postmaster: root\n"
				   "root:alice@example.org ,\tbob\n"
				   "   , carol\n"
				   "# between\n"
				   "\tdave\n"
				   "  \n"
				   "\"odd name\" : \"a b\"@example.org, \\erin\n"
				   "lists: :include:/etc/lists, |\"/usr/bin/x y\", \"|prog a, b\", /var/mail/box";
	struct aliases_entry *e;
	size_t n;
	ARENA(a, 1 << 16);

	assert_int_equal(aliases_parse(str_from(text), &a, &e, &n), OK);
	assert_int_equal(n, 4);
	assert_str(e[0].name, "postmaster");
	assert_int_equal(e[0].line, 3);
	assert_int_equal(e[0].n, 1);
	assert_str(e[0].values[0].text, "root");
	assert_int_equal(e[1].n, 4);
	assert_str(e[1].values[0].text, "alice@example.org");
	assert_str(e[1].values[1].text, "bob");
	assert_str(e[1].values[2].text, "carol");
	assert_str(e[1].values[3].text, "dave");
	assert_str(e[2].name, "odd name");
	assert_str(e[2].values[0].text, "a b@example.org");
	assert_int_equal(e[2].values[1].kind, ALIASES_LOCAL);
	assert_str(e[2].values[1].text, "erin");
	assert_int_equal(e[3].n, 4);
	assert_int_equal(e[3].values[0].kind, ALIASES_INCLUDE);
	assert_str(e[3].values[0].text, "/etc/lists");
	assert_int_equal(e[3].values[1].kind, ALIASES_COMMAND);
	assert_str(e[3].values[1].text, "/usr/bin/x y");
	assert_int_equal(e[3].values[2].kind, ALIASES_COMMAND);
	assert_str(e[3].values[2].text, "prog a, b");
	assert_int_equal(e[3].values[3].kind, ALIASES_FILE);
}

static void bad(const char *text)
{
	struct aliases_entry *e;
	size_t n;
	ARENA(a, 1 << 16);

	assert_int_equal(aliases_parse(str_from(text), &a, &e, &n), E_SYNTAX);
}

static void test_faults(void **state UNUSED)
{
	struct aliases_entry *e;
	size_t n;
	ARENA(a, 1 << 16);

	bad("no colon\n");
	bad(": nobody\n");
	bad("name:\n");
	bad("name: , ,\n");
	bad("  goes: on\n");
	bad("a: \"open\nb: c\n");
	bad("a: x\x01y\n");
	assert_int_equal(aliases_parse(STR("# nothing"), &a, &e, &n), OK);
	assert_int_equal(n, 0);
}

static void test_forward(void **state UNUSED)
{
	struct aliases_value *v;
	size_t n;
	ARENA(a, 1 << 16);

	assert_int_equal(aliases_values(STR("\\alice, bob@example.net\n# me\ncarol@example.com\n"), &a, &v, &n), OK);
	assert_int_equal(n, 3);
	assert_int_equal(v[0].kind, ALIASES_LOCAL);
	assert_str(v[1].text, "bob@example.net");
	assert_str(v[2].text, "carol@example.com");
	assert_int_equal(aliases_values(STR(""), &a, &v, &n), OK);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
