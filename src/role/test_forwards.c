/* SPDX-License-Identifier: ISC */
/* What the monitor takes of the process that reads. */
#include "base/test.h"

#include "role/forwards.h"

static err take(struct cursor *c, struct forward_answer *out)
{
	static struct arena a = {.cap = 16 << 20};

	return forward_answer_take(c, &a, out);
}

static void test_answers(void **state UNUSED)
{
	struct cursor c = cursor_of(STR("user alice\nstamp 17\ntarget bob@example.org\nend\nuser bob\nstamp 0\nend\n"));
	struct forward_answer x;

	assert_int_equal(take(&c, &x), OK);
	assert_str(x.user, "alice");
	assert_int_equal(x.stamp, 17);
	assert_int_equal(x.forward.targets_n, 1);
	assert_str(x.forward.targets[0], "bob@example.org");
	assert_int_equal(take(&c, &x), OK);
	assert_str(x.user, "bob");
	assert_int_equal(x.stamp + x.forward.targets_n, 0);
	assert_int_equal(take(&c, &x), E_END);
}

static void expect_ended_at(const char *text, const char *user)
{
	struct cursor c = cursor_of(str_from(text));
	struct forward_answer x;

	assert_int_equal(take(&c, &x), E_SYNTAX);
	assert_str(x.user, user);
}

static void test_a_process_that_ended(void **state UNUSED)
{
	expect_ended_at("user alice\n", "alice");
	expect_ended_at("user alice\nstamp 5\n", "alice");
	expect_ended_at("user alice\nstamp 5\ntarget x@y\n", "alice");
	expect_ended_at("user alice\nstamp x\nend\n", "alice");
	expect_ended_at("user alice\nuser bob\nstamp 1\nend\n", "alice");
	expect_ended_at("user al", "");
	expect_ended_at("user \n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_a_process_that_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
