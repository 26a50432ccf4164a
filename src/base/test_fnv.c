/* SPDX-License-Identifier: ISC */
#include "base/fnv.h"
#include "base/test.h"

/* From the tables of draft-eastlake-fnv. */
static void test_vectors(void **state UNUSED)
{
	assert_true(fnv_octets(FNV_START, STR("")) == UINT64_C(0xcbf29ce484222325));
	assert_true(fnv_octets(FNV_START, STR("a")) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(fnv_octets(FNV_START, STR("foobar")) == UINT64_C(0x85944171f73967e8));
	assert_true(fnv_octets(fnv_octets(FNV_START, STR("foo")), STR("bar")) == UINT64_C(0x85944171f73967e8));
}

static void test_a_word_counts_whole(void **state UNUSED)
{
	assert_true(fnv_word(FNV_START, 'a') == fnv_octets(FNV_START, STR("a")));
	assert_true(fnv_word(FNV_START, UINT64_C(1) << 60) != fnv_word(FNV_START, UINT64_C(1) << 61));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_a_word_counts_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
