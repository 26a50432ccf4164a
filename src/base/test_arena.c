/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/arena.h"

static void test_memory_is_zeroed_and_aligned(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	for (size_t n = 0; n < 300; n++) {
		char *p = arena_alloc(&a, n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	assert_false(a.full);
}

static void test_cap_is_exact_and_sticky(void **state UNUSED)
{
	ARENA(a, 64);

	assert_non_null(arena_alloc(&a, 48));
	assert_null(arena_alloc(&a, 17));
	assert_true(a.full);
	assert_null(arena_alloc(&a, 1));
	arena_free(&a);
	assert_non_null(arena_alloc(&a, 64));
	assert_null(arena_alloc(&a, 1));
}

static void test_wiped_arena_can_be_used_again(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	(void)arena_str(&a, STR("password"));
	assert_non_null(arena_octets(&a, 100000)); /* large: in a block of its own, written to its end */
	memset(arena_octets(&a, 5000), 'x', 5000);
	arena_wipe(&a);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 10));
}

static void test_array_checks_its_product(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	ARENA(b, SIZE_MAX);

	assert_non_null(arena_array(&a, 3, 100));
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	assert_true(a.full);
	assert_null(arena_alloc(&b, SIZE_MAX - 3));
}

static void test_large_allocation_gets_its_block(void **state UNUSED)
{
	ARENA(a, 1 << 20);

	assert_non_null(arena_alloc(&a, 10));
	assert_non_null(arena_alloc(&a, 500000));
	assert_non_null(arena_alloc(&a, 10));
}

static void test_large_things_leave_the_rest_small(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	char *first = arena_alloc(&a, 10);
	str body = arena_str(&a, (str){(char[5000]){"x"}, 5000});

	assert_ptr_equal((char *)arena_alloc(&a, 10), first + 16); /* where the block went on before */
	assert_int_equal(body.n, 5000);
	assert_int_equal(body.p[0], 'x');
	assert_int_equal(((const char *)arena_alloc(&a, 5000))[4999], 0);
	assert_int_equal(a.used, 16 + 5008 + 16 + 5008);
}

static void test_strings(void **state UNUSED)
{
	ARENA(a, 4096);

	assert_str(arena_str(&a, STR("text")), "text");
	assert_non_null(arena_str(&a, STR_NONE).p);
	assert_str(arena_lower(&a, STR("A@B.\xc4Z[")), "a@b.\xc4z[");
	assert_str(arena_line(&a, STR("a\r\nb\x7f\tc\xc3\xa9~"), '?'), "a??b??c\xc3\xa9~");
	assert_str(arena_line(&a, STR(""), ' '), "");
	assert_str(arena_ascii(&a, STR(" a\n\x7f\xc3\xa9~")), " a????~");
	assert_string_equal(arena_z(&a, STR("text")), "text");
	assert_null(arena_z(&a, STR("te\0xt")));
	assert_false(a.full);
	assert_str(arena_printf(&a, "%s-%d", "x", 7), "x-7");
	assert_null(arena_str(&a, (str){"", 5000}).p);
}

static void test_overflow_gives_no_view(void **state UNUSED)
{
	ARENA(a, 16);

	assert_null(arena_printf(&a, "%s", "seventeen bytes..").p);
	assert_null(arena_lower(&a, STR("x")).p);
	assert_null(arena_line(&a, STR("x"), ' ').p);
	assert_null(arena_ascii(&a, STR("x")).p);
	assert_null(arena_z(&a, STR("x")));
	assert_true(a.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_and_aligned),
		cmocka_unit_test(test_cap_is_exact_and_sticky),
		cmocka_unit_test(test_wiped_arena_can_be_used_again),
		cmocka_unit_test(test_array_checks_its_product),
		cmocka_unit_test(test_large_allocation_gets_its_block),
		cmocka_unit_test(test_large_things_leave_the_rest_small),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_overflow_gives_no_view),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
