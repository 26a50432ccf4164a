/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "mail/mailbox_list.h"

static void assert_list(const char *value, const char *expected)
{
	ARENA(a, 1 << 20);
	BUF(got, 1 << 16);
	struct mailbox_list list;

	if (mailbox_list_parse(str_from(value), &a, &list) != OK)
		fail_msg("refused: %s", value);
	for (size_t i = 0; i < list.n; i++)
		buf_printf(&got, "%s" STR_FMT, i > 0 ? " " : "", STR_ARG(list.addresses[i]));
	if (!str_equal(buf_str(&got), str_from(expected)))
		fail_msg("%s: got " STR_FMT, value, STR_ARG(buf_str(&got)));
}

static void assert_refused(const char *value)
{
	ARENA(a, 1 << 20);
	struct mailbox_list list;

	if (mailbox_list_parse(str_from(value), &a, &list) != E_SYNTAX)
		fail_msg("taken: %s", value);
}

static void test_addresses(void **state UNUSED)
{
	assert_list(" alice@example.org", "alice@example.org");
	assert_list(" <alice@example.org> ", "alice@example.org");
	assert_list("Alice <alice@example.org>", "alice@example.org");
	assert_list("\"Liddell, Alice\" <alice@example.org>", "alice@example.org");
	assert_list("=?utf-8?q?Al=C3=AFce?= <alice@example.org>", "alice@example.org");
	assert_list("Al\xc3\xaf"
	            "ce <al\xc3\xaf"
	            "ce@example.org>",
	            "al\xc3\xaf"
	            "ce@example.org");
	assert_list("A. L. Liddell <alice@example.org>", "alice@example.org");
	assert_list("\"a b\"@example.org, c@[192.0.2.1]", "\"a b\"@example.org c@[192.0.2.1]");
	assert_list("a@example.org,\r\n\tb@example.org", "a@example.org b@example.org");
}

/* RFC 5322 A.5, A.6.1, A.6.3 */
static void test_blanks_and_comments(void **state UNUSED)
{
	assert_list("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "pete@silly.test");
	assert_list("(a (nested) one) a . b @ example . org (end)", "a.b@example.org");
	assert_list("Joe Q. Public <john.q.public@example.com>", "john.q.public@example.com");
	assert_list("Mary Smith <@node.test,@other.test:mary@example.net>, , jdoe@test  . example",
	            "mary@example.net jdoe@test.example");
	assert_list("\"folded\r\n name\" <a@example.org>", "a@example.org");
}

/* RFC 5322 A.1.3, RFC 6854 */
static void test_groups(void **state UNUSED)
{
	assert_list("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
	            "c@a.test joe@where.test jdoe@one.test");
	assert_list("Undisclosed recipients:;", "");
	assert_list("G:a@example.org;, b@example.org", "a@example.org b@example.org");
	assert_list("", "");
	assert_list(" (nobody) ", "");
	assert_refused("G:a@example.org");
	assert_refused("G:H:a@example.org;;");
	assert_refused("G:; b@example.org");
	assert_refused(":a@example.org;");
	assert_refused("a@example.org;");
}

/* Each of these shows one address in some programs and another in others. */
static void test_what_can_be_read_in_two_ways(void **state UNUSED)
{
	assert_refused("ceo@example.org <alice@example.org>");
	assert_refused("<alice@example.org> <ceo@example.org>");
	assert_refused("alice@example.org ceo@example.org");
	assert_refused("alice@example.org\rFrom: ceo@example.org");
	assert_refused("ceo <alice@example.org");
	assert_refused("alice@example.org@example.net");
	assert_refused("alice@example.org(open");
	assert_refused("\"open <alice@example.org>");
	assert_refused("a <alice @>");
}

static void test_faults(void **state UNUSED)
{
	assert_refused("alice");
	assert_refused("alice bob@example.org");
	assert_refused("a..b@example.org");
	assert_refused(".a@example.org");
	assert_refused("a.@example.org");
	assert_refused("<>");
	assert_refused("a@b..c");
	assert_refused("a@[192.0.2.1");
	assert_refused("a@b>");
	assert_refused("(");
	assert_refused("(\\");
	assert_refused("<@x a@example.org>");
}

static void test_limit(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(many, 1 << 16);
	struct mailbox_list list;

	for (int i = 0; i <= MAILBOX_LIST_MAX; i++)
		buf_puts(&many, "a@example.org,");
	assert_int_equal(mailbox_list_parse(buf_str(&many), &a, &list), E_LIMIT);
	struct arena small = ARENA_INIT(100);
	assert_int_equal(mailbox_list_parse(STR("a@example.org"), &small, &list), E_LIMIT);
	arena_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_blanks_and_comments),
		cmocka_unit_test(test_groups),    cmocka_unit_test(test_what_can_be_read_in_two_ways),
		cmocka_unit_test(test_faults),    cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
