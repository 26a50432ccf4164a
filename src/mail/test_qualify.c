/* SPDX-License-Identifier: ISC */
#include "mail/qualify.h"

#include "base/test.h"

static void becomes(const char *value, const char *want)
{
	BUF(out, 1000);

	qualify_addresses(&out, str_from(value), STR("x.example"));
	assert_str(buf_str(&out), want);
}

static void test_bare(void **state UNUSED)
{
	becomes("", "");
	becomes("root", "root@x.example");
	becomes(" root", " root@x.example");
	becomes("root (Cron Daemon)", "root@x.example (Cron Daemon)");
	becomes("Cron <root>", "Cron <root@x.example>");
	becomes("\"Cron, the Daemon\" <root>, alice", "\"Cron, the Daemon\" <root@x.example>, alice@x.example");
	becomes("root, bob@y.example,\r\n carol", "root@x.example, bob@y.example,\r\n carol@x.example");
	becomes("\"odd name\"", "\"odd name\"@x.example");
	becomes("a.b-c", "a.b-c@x.example");
}

static void test_others(void **state UNUSED)
{
	becomes("alice@y.example", "alice@y.example");
	becomes("Alice <alice@y.example> (home, at last)", "Alice <alice@y.example> (home, at last)");
	becomes("undisclosed-recipients:;", "undisclosed-recipients:;");
	becomes("friends: alice, bob@y.example;", "friends: alice, bob@y.example;");
	becomes("<>", "<>");
	becomes("two words", "two words");
	becomes("\"open", "\"open@x.example");
	becomes("(a (nested\\) one) root) root", "(a (nested\\) one) root) root@x.example");
	becomes(",,", ",,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bare), cmocka_unit_test(test_others)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
