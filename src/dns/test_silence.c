/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "dns/silence.h"

#define SECOND NSEC_PER_SEC

static void nothing_answers(void **state UNUSED)
{
	struct silence s = {0};

	/* a message's questions, asked at once */
	for (size_t i = 1; i < SILENCE_QUESTIONS; i++)
		assert_false(silence_note(&s, false, 100 * SECOND, 120 * SECOND));
	assert_true(silence_deadline(&s, 120 * SECOND, 140 * SECOND) == 140 * SECOND);
	assert_true(silence_note(&s, false, 100 * SECOND, 120 * SECOND));
	assert_true(silence_deadline(&s, 121 * SECOND, 141 * SECOND) == 141 * SECOND); /* one is patient */
	assert_true(silence_deadline(&s, 121 * SECOND, 141 * SECOND) == 123 * SECOND);
	assert_true(silence_deadline(&s, 140 * SECOND, 160 * SECOND) == 142 * SECOND);
	assert_true(silence_deadline(&s, 141 * SECOND, 161 * SECOND) == 161 * SECOND);
	assert_true(silence_deadline(&s, 121 * SECOND, 122 * SECOND) == 122 * SECOND);
	assert_false(silence_note(&s, false, 121 * SECOND, 123 * SECOND)); /* said once */
	assert_true(silence_note(&s, true, 165 * SECOND, 166 * SECOND));
	assert_true(silence_deadline(&s, 166 * SECOND, 186 * SECOND) == 186 * SECOND);
}

static void a_moment_is_none(void **state UNUSED)
{
	struct silence s = {0};

	for (size_t i = 0; i < 100; i++)
		assert_false(silence_note(&s, false, 100 * SECOND, 109 * SECOND));
	assert_true(silence_note(&s, false, 100 * SECOND, 110 * SECOND));
}

/* Somebody has a domain that never answers. */
static void others_are_answered(void **state UNUSED)
{
	struct silence s = {0};

	for (nsec at = 0; at < 1000; at += 5) {
		for (size_t i = 0; i < 20; i++)
			(void)silence_note(&s, false, at * SECOND, (at + 5) * SECOND);
		(void)silence_note(&s, true, (at + 5) * SECOND, (at + 5) * SECOND);
		assert_false(s.reigns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_answers),
		cmocka_unit_test(a_moment_is_none),
		cmocka_unit_test(others_are_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
