/* SPDX-License-Identifier: ISC */
#include "spam/bayes.h"

#include <stdlib.h>

#include "base/test.h"

/* Words 1 to 100 are good ones, 101 to 200 bad ones, 300 both. */
static struct model make(char **memory, uint32_t messages, bool turned)
{
	struct model_builder b = {.size = model_size(300)};
	struct model m;

	b.memory = *memory = malloc(b.size);
	assert_non_null(b.memory);
	assert_int_equal(model_begin(&b, 300, (struct model_counts){messages, messages}), OK);
	for (uint64_t i = 1; i <= 200; i++) {
		bool bad = (i > 100) != turned;
		assert_int_equal(model_add(&b, i, (struct model_counts){bad ? 0 : 20, bad ? 20 : 0}), OK);
	}
	assert_int_equal(model_add(&b, 300, (struct model_counts){30, 30}), OK);
	assert_int_equal(model_open(str_make(b.memory, b.size), &m), OK);
	return m;
}

static void fill(struct token *t, size_t n, uint64_t first)
{
	for (size_t i = 0; i < n; i++)
		t[i] = (struct token){first + i, STR("word")};
}

static void words_decide(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	char *memory;
	struct model m = make(&memory, 60, false);
	struct token t[20];
	struct bayes_result r;

	fill(t, 20, 1);
	assert_int_equal(bayes_judge(&m, NULL, t, 20, &a, &r), OK);
	assert_true(r.known && r.spam < 0.01);
	fill(t, 20, 101);
	assert_int_equal(bayes_judge(&m, NULL, t, 20, &a, &r), OK);
	assert_true(r.spam > 0.99);
	assert_true(str_starts(r.words, STR("word 0.98, word 0.98")));
	fill(t, 10, 1);
	assert_int_equal(bayes_judge(&m, NULL, t, 20, &a, &r), OK);
	assert_true(r.spam > 0.2 && r.spam < 0.8);
	fill(t, 20, 1000);
	assert_int_equal(bayes_judge(&m, NULL, t, 20, &a, &r), OK);
	assert_true(r.spam == 0.5);
	assert_str(r.words, "");
	free(memory);
}

static void little_was_learned(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	char *memory;
	struct model m = make(&memory, BAYES_LEARNED_MIN - 1, false);
	struct token t[1] = {{150, STR("x")}};
	struct bayes_result r;

	assert_int_equal(bayes_judge(&m, NULL, t, 1, &a, &r), OK);
	assert_false(r.known);
	assert_int_equal(bayes_judge(NULL, NULL, t, 1, &a, &r), OK);
	assert_false(r.known);
	free(memory);
}

static void own_words_count_more(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	char *memory, *own_memory;
	struct model all = make(&memory, 1000, false), own = make(&own_memory, 60, true);
	struct token t[20];
	struct bayes_result r;

	fill(t, 20, 101);
	assert_int_equal(bayes_judge(&all, &own, t, 20, &a, &r), OK);
	assert_true(r.known && r.spam < 0.1);
	assert_int_equal(bayes_judge(NULL, &own, t, 20, &a, &r), OK);
	assert_true(r.known && r.spam < 0.1);
	free(memory);
	free(own_memory);
}

/* Thousands of words that say little do not drown those that say much. */
static void the_strongest_count(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	char *memory;
	struct model m = make(&memory, 60, false);
	struct token *t = calloc(4000, sizeof *t);
	struct bayes_result r;

	assert_non_null(t);
	for (size_t i = 0; i < 4000; i++)
		t[i] = (struct token){i < 3900 ? 101 + i % 100 : 1 + i % 100, STR("w")};
	assert_int_equal(bayes_judge(&m, NULL, t, 4000, &a, &r), OK);
	assert_true(r.spam > 0.99);
	free(t);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_decide),
		cmocka_unit_test(little_was_learned),
		cmocka_unit_test(own_words_count_more),
		cmocka_unit_test(the_strongest_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
