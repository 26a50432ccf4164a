/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <stdlib.h>

#include "spam/model.h"

enum { WORDS = 1000 };

static uint64_t hash_of(uint64_t i)
{
	return i * 0x9e3779b97f4a7c15;
}

static struct model_builder build(size_t words)
{
	struct model_builder b = {.size = model_size(words)};

	b.memory = malloc(b.size);
	assert_non_null(b.memory);
	assert_int_equal(model_begin(&b, words, (struct model_counts){70, 80}), OK);
	for (uint32_t i = 0; i < words; i++)
		assert_int_equal(model_add(&b, hash_of(i), (struct model_counts){i, 2 * i + 1}), OK);
	return b;
}

static void what_was_added_is_found(void **state)
{
	struct model_builder b = build(WORDS);
	struct model m;

	(void)state;
	assert_int_equal(model_open(str_make(b.memory, b.size), &m), OK);
	assert_int_equal(m.messages.good, 70);
	assert_int_equal(m.messages.bad, 80);
	for (uint32_t i = 0; i < WORDS; i++) {
		assert_int_equal(model_find(&m, hash_of(i)).good, i);
		assert_int_equal(model_find(&m, hash_of(i)).bad, 2 * i + 1);
	}
	assert_int_equal(model_find(&m, 12345).bad, 0);
	free(b.memory);
}

static void a_table_lies_anywhere(void **state)
{
	struct model_builder b = build(10);
	char *odd = malloc(b.size + 1);
	struct model m;

	(void)state;
	assert_non_null(odd);
	memcpy(odd + 1, b.memory, b.size);
	assert_int_equal(model_open(str_make(odd + 1, b.size), &m), OK);
	assert_int_equal(model_find(&m, hash_of(9)).bad, 19);
	free(odd);
	free(b.memory);
}

static void twice_is_the_sum(void **state)
{
	struct model_builder b = build(3);
	struct model m;

	(void)state;
	assert_int_equal(model_add(&b, hash_of(1), (struct model_counts){UINT32_MAX, 4}), OK);
	assert_int_equal(model_open(str_make(b.memory, b.size), &m), OK);
	assert_int_equal(model_find(&m, hash_of(1)).good, UINT32_MAX);
	assert_int_equal(model_find(&m, hash_of(1)).bad, 7);
	free(b.memory);
}

static void more_than_announced_is_refused(void **state)
{
	struct model_builder b = build(6);

	(void)state;
	assert_int_equal(model_add(&b, 99, (struct model_counts){1, 1}), E_LIMIT);
	b.size--;
	assert_int_equal(model_begin(&b, 6, (struct model_counts){0, 0}), E_LIMIT);
	free(b.memory);
}

static void an_empty_one_is_one(void **state)
{
	struct model_builder b = build(0);
	struct model m;

	(void)state;
	assert_int_equal(model_open(str_make(b.memory, b.size), &m), OK);
	assert_int_equal(model_find(&m, 0).good, 0);
	free(b.memory);
}

/* Every octet counts, and so does each that is missing. */
static void damage_is_found(void **state)
{
	struct model_builder b = build(20);
	struct model m;

	(void)state;
	for (size_t i = 0; i < b.size; i++) {
		b.memory[i] ^= 0x40;
		assert_int_equal(model_open(str_make(b.memory, b.size), &m), E_SYNTAX);
		b.memory[i] ^= 0x40;
	}
	for (size_t n = 0; n < b.size; n++)
		assert_int_equal(model_open(str_make(b.memory, n), &m), E_SYNTAX);
	assert_int_equal(model_open(STR_NONE, &m), E_SYNTAX);
	free(b.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found), cmocka_unit_test(a_table_lies_anywhere),
		cmocka_unit_test(twice_is_the_sum),        cmocka_unit_test(more_than_announced_is_refused),
		cmocka_unit_test(an_empty_one_is_one),     cmocka_unit_test(damage_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
