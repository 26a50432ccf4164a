/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdio.h>

#include "store/sessions.h"

static const str edge = {"edge-0", 6}, other = {"edge-1", 6};

static void test_grants(void **state UNUSED)
{
	struct sessions s;

	sessions_init(&s);
	assert_int_equal(sessions_check_account(&s, edge, STR("a"), 1), E_DENIED);
	assert_int_equal(sessions_grant(&s, edge, STR("a"), 1), OK);
	assert_int_equal(sessions_grant(&s, edge, STR("a"), 1), OK);
	assert_int_equal(sessions_check_account(&s, edge, STR("a"), 1), OK);
	assert_int_equal(sessions_check_account(&s, edge, STR("a"), 2), E_DENIED);
	assert_int_equal(sessions_check_account(&s, edge, STR("b"), 1), E_DENIED);
	assert_int_equal(sessions_check_account(&s, other, STR("a"), 1), E_DENIED);
	for (uint64_t i = 2; i <= 4; i++)
		assert_int_equal(sessions_grant(&s, edge, STR("a"), i), OK);
	assert_int_equal(sessions_grant(&s, edge, STR("a"), 5), E_LIMIT);
	sessions_revoke(&s, 1);
	assert_int_equal(sessions_check_account(&s, edge, STR("a"), 1), E_DENIED);
	assert_int_equal(sessions_check_account(&s, edge, STR("a"), 4), OK);
	sessions_end(&s, edge, STR("a"));
	sessions_end(&s, edge, STR("a"));
	assert_int_equal(sessions_check_account(&s, edge, STR("a"), 4), E_DENIED);
	sessions_free(&s);
}

static void test_names_are_checked(void **state UNUSED)
{
	struct sessions s;
	char longest[300];

	memset(longest, 'x', sizeof(longest));
	sessions_init(&s);
	assert_int_equal(sessions_grant(&s, STR(""), STR("a"), 1), E_SYNTAX);
	assert_int_equal(sessions_grant(&s, str_make("ed\0ge", 5), STR("a"), 1), E_SYNTAX);
	assert_int_equal(sessions_grant(&s, edge, str_make(longest, sizeof(longest)), 1), E_SYNTAX);
	sessions_free(&s);
}

static void test_locks(void **state UNUSED)
{
	struct sessions s;

	sessions_init(&s);
	assert_int_equal(sessions_open(&s, edge, STR("a"), 1, 10, true), E_DENIED);
	assert_int_equal(sessions_grant(&s, edge, STR("a"), 1), OK);
	assert_int_equal(sessions_grant(&s, edge, STR("b"), 1), OK);
	assert_int_equal(sessions_open(&s, edge, STR("a"), 1, 10, true), OK);
	assert_int_equal(sessions_open(&s, edge, STR("a"), 1, 10, true), OK); /* its own */
	assert_int_equal(sessions_check_mailbox(&s, edge, STR("a"), 10), OK);
	assert_int_equal(sessions_check_mailbox(&s, edge, STR("b"), 10), E_DENIED);
	assert_int_equal(sessions_open(&s, edge, STR("b"), 1, 10, true), E_BUSY);
	assert_int_equal(sessions_open(&s, edge, STR("b"), 1, 10, false), OK);
	sessions_end(&s, edge, STR("a"));
	assert_int_equal(sessions_open(&s, edge, STR("b"), 1, 10, true), OK);
	sessions_revoke(&s, 1);
	assert_int_equal(sessions_check_mailbox(&s, edge, STR("b"), 10), E_DENIED);
	assert_int_equal(sessions_grant(&s, edge, STR("c"), 1), OK);
	assert_int_equal(sessions_open(&s, edge, STR("c"), 1, 10, true), OK); /* b's lock went with its account */
	sessions_free(&s);
}

static void test_a_process_takes_its_sessions_along(void **state UNUSED)
{
	struct sessions s;
	char name[16];

	sessions_init(&s);
	for (uint64_t i = 0; i < 100; i++) {
		str session = str_make(name, (size_t)snprintf(name, sizeof(name), "s%d", (int)i));

		assert_int_equal(sessions_grant(&s, i % 2 ? edge : other, session, 1), OK);
		assert_int_equal(sessions_open(&s, i % 2 ? edge : other, session, 1, i, true), OK);
	}
	assert_int_equal(sessions_grant(&s, STR("edge-01"), STR("s1"), 1), OK);
	sessions_process_gone(&s, edge);
	assert_int_equal(s.by_name.count, 51);
	assert_int_equal(s.locks.count, 50);
	assert_int_equal(sessions_check_account(&s, STR("edge-01"), STR("s1"), 1), OK);
	assert_int_equal(sessions_check_account(&s, edge, STR("s1"), 1), E_DENIED);
	sessions_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_names_are_checked),
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_a_process_takes_its_sessions_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
