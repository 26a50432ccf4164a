/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/map.h"

enum { MANY = 5000 };

static int values[MANY];

static str key_of(uint64_t *i, char *text, size_t size)
{
	if (*i % 2 == 0)
		return MAP_U64_KEY(*i);
	memset(text, 'k', size);
	memcpy(text, i, sizeof(*i));
	return str_make(text, size);
}

static void test_empty(void **state UNUSED)
{
	struct map m;
	size_t at = 0;
	str key;
	void *value;

	map_init(&m);
	assert_null(map_get(&m, STR("a")));
	assert_null(map_remove(&m, STR("a")));
	assert_false(map_next(&m, &at, &key, &value));
	assert_true(m.seed[0] != 0 || m.seed[1] != 0);
	map_free(&m);
}

static void test_put_replaces(void **state UNUSED)
{
	struct map m;

	map_init(&m);
	assert_int_equal(map_put(&m, STR("a"), &values[0]), OK);
	assert_int_equal(map_put(&m, STR("a"), &values[1]), OK);
	assert_int_equal(map_put(&m, STR(""), &values[2]), OK);
	assert_int_equal(m.count, 2);
	assert_ptr_equal(map_get(&m, STR("a")), &values[1]);
	assert_ptr_equal(map_get(&m, STR_NONE), &values[2]);
	assert_null(map_get(&m, STR("A")));
	map_free(&m);
	assert_null(map_get(&m, STR("a")));
}

static void test_many_with_removal(void **state UNUSED)
{
	struct map m;
	char text[40];

	map_init(&m);
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(map_put(&m, key_of(&i, text, sizeof(text)), &values[i]), OK);
	for (uint64_t i = 0; i < MANY; i += 3)
		assert_ptr_equal(map_remove(&m, key_of(&i, text, sizeof(text))), &values[i]);
	for (uint64_t i = 0; i < MANY; i++)
		assert_ptr_equal(map_get(&m, key_of(&i, text, sizeof(text))), i % 3 == 0 ? NULL : &values[i]);
	assert_int_equal(m.count, MANY - (MANY + 2) / 3);
	map_free(&m);
}

static void test_walk_sees_each_once(void **state UNUSED)
{
	struct map m;
	bool seen[100] = {false};
	size_t at = 0, count = 0;
	str key;
	void *value;

	map_init(&m);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(map_put(&m, MAP_U64_KEY(i), &values[i]), OK);
	for (; map_next(&m, &at, &key, &value); count++) {
		size_t i = (size_t)((int *)value - values);
		assert_false(seen[i]);
		assert_memory_equal(key.p, &(uint64_t){i}, sizeof(uint64_t));
		seen[i] = true;
	}
	assert_int_equal(count, 100);
	map_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_put_replaces),
		cmocka_unit_test(test_many_with_removal),
		cmocka_unit_test(test_walk_sees_each_once),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
