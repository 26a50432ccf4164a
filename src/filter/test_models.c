/* SPDX-License-Identifier: ISC */
#include "filter/fake.h"
#include "filter/models.h"

#include <stdlib.h>

static str table_of(char *memory, size_t size, uint32_t good)
{
	struct model_builder b = {memory, size};

	assert_int_equal(model_begin(&b, 1, (struct model_counts){good, 1}), OK);
	assert_int_equal(model_add(&b, 42, (struct model_counts){good, 0}), OK);
	return str_make(memory, size);
}

static void asked_once_a_minute_run(void *arg UNUSED)
{
	size_t size = model_size(1);
	char *first = malloc(size), *second = malloc(size);
	struct models *m;
	struct fake f;

	fake_begin(&f, (const char *const[]){NULL});
	assert_int_equal(models_new(f.link, &m), OK);
	assert_null(models_take(m, 0, RT_NEVER));
	assert_null(models_take(m, 0, RT_NEVER));
	assert_int_equal(f.models, 1);
	f.table = table_of(first, size, 7);
	f.version = 3;
	assert_int_equal(rt_sleep_until(rt_after(61 * NSEC_PER_SEC)), OK);
	struct model_hold *old = models_take(m, 0, RT_NEVER), *again = models_take(m, 0, RT_NEVER);
	assert_ptr_equal(old, again);
	assert_int_equal(model_find(models_table(old), 42).good, 7);
	models_release(again);
	f.table = table_of(second, size, 8);
	f.version = 4;
	assert_int_equal(rt_sleep_until(rt_after(61 * NSEC_PER_SEC)), OK);
	struct model_hold *fresh = models_take(m, 0, RT_NEVER);
	assert_int_equal(model_find(models_table(fresh), 42).good, 8);
	assert_int_equal(model_find(models_table(old), 42).good, 7); /* who has it keeps it */
	models_release(old);
	models_release(fresh);
	models_free(m);
	fake_end(&f);
	free(first);
	free(second);
}

static void no_table_run(void *arg UNUSED)
{
	struct models *m;
	struct fake f;

	fake_begin(&f, (const char *const[]){NULL});
	assert_int_equal(models_new(f.link, &m), OK);
	f.table = STR("this is no table");
	f.version = 1;
	assert_null(models_take(m, 5, RT_NEVER));
	assert_null(models_table(NULL));
	models_release(NULL);
	models_free(m);
	fake_end(&f);
}

static void many_accounts_run(void *arg UNUSED)
{
	struct models *m;
	struct fake f;

	fake_begin(&f, (const char *const[]){NULL});
	assert_int_equal(models_new(f.link, &m), OK);
	for (uint64_t i = 1; i <= 1000; i++)
		assert_null(models_take(m, i, RT_NEVER));
	assert_int_equal(f.models, 1000);
	models_free(m);
	fake_end(&f);
}

SIMULATED(asked_once_a_minute)
SIMULATED(no_table)
SIMULATED(many_accounts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_once_a_minute),
		cmocka_unit_test(no_table),
		cmocka_unit_test(many_accounts),
	};

	return cmocka_run_group_tests_name("models", tests, NULL, NULL);
}
