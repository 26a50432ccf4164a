/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"

static void test_writes_straight_through(void **state UNUSED)
{
	BUF(b, 1000);

	buf_put(&b, STR("250"));
	buf_putc(&b, ' ');
	buf_puts(&b, "Ok");
	buf_printf(&b, " %s=%d", "n", 42);
	buf_putc(&b, ' ');
	buf_u64(&b, 0);
	buf_putc(&b, ' ');
	buf_u64(&b, UINT64_MAX);
	assert_str(buf_str(&b), "250 Ok n=42 0 18446744073709551615");
	assert_false(b.full);
}

static void test_cap_keeps_nothing_of_the_failing_call(void **state UNUSED)
{
	BUF(b, 5);

	buf_puts(&b, "abc");
	buf_puts(&b, "def");
	assert_true(b.full);
	buf_putc(&b, 'x');
	buf_printf(&b, "%d", 1);
	assert_str(buf_str(&b), "abc");
	buf_reset(&b);
	buf_puts(&b, "12345");
	assert_false(b.full);
	assert_str(buf_str(&b), "12345");
}

static void test_printf_at_the_cap(void **state UNUSED)
{
	BUF(b, 8);

	buf_printf(&b, "%s", "");
	buf_printf(&b, "%s", "12345678");
	assert_false(b.full);
	assert_str(buf_str(&b), "12345678");
	buf_printf(&b, "%s", "9");
	assert_true(b.full);
	assert_str(buf_str(&b), "12345678");
}

static void test_secrets_are_overwritten(void **state UNUSED)
{
	struct buf b = {.cap = 1000, .secret = true};

	buf_puts(&b, "password");
	const char *small = b.p;
	for (int i = 0; i < 20; i++)
		buf_puts(&b, "password");
	assert_ptr_not_equal(b.p, small);
	assert_int_equal(b.n, 21 * 8);
	assert_memory_equal(b.p, "passwordpassword", 16);
	buf_wipe(&b);
	assert_int_equal(b.n, 0);
	for (size_t i = 0; i < 21 * 8; i++)
		assert_int_equal(b.p[i], 0);
	buf_puts(&b, "more");
	assert_str(buf_str(&b), "more");
	buf_free(&b);
	assert_true(b.secret && b.cap == 1000);
}

static void test_printf_grows(void **state UNUSED)
{
	BUF(b, 1 << 16);

	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%04d,", i);
	assert_int_equal(b.n, 5000);
	assert_true(str_ends(buf_str(&b), STR("0998,0999,")));
}

static void test_binary(void **state UNUSED)
{
	BUF(b, 100);

	buf_le32(&b, 0x01020304);
	buf_le64(&b, 0x0102030405060708);
	assert_memory_equal(b.p, "\4\3\2\1\10\7\6\5\4\3\2\1", 12);
	buf_reset(&b);
	buf_varint(&b, 300);
	buf_varint(&b, 0);
	buf_varint(&b, UINT64_MAX);
	assert_int_equal(b.n, 13);
	assert_memory_equal(b.p, "\xac\x02\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13);
}

static void test_utf8(void **state UNUSED)
{
	static const uint32_t codes[] = {'a', 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff, 0};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		BUF(b, 4);
		uint32_t back = 1;

		buf_utf8(&b, codes[i]);
		assert_int_equal(str_utf8_char(buf_str(&b), &back), b.n);
		assert_int_equal(back, codes[i]);
	}
}

static void test_reserve_and_consume(void **state UNUSED)
{
	BUF(b, 10);

	char *p = buf_reserve(&b, 10);
	assert_non_null(p);
	memcpy(p, "abcdef", 6);
	buf_commit(&b, 6);
	buf_consume(&b, 2);
	assert_str(buf_str(&b), "cdef");
	assert_null(buf_reserve(&b, 7));
	assert_true(b.full);
	buf_consume(&b, 99);
	assert_int_equal(b.n, 0);
}

static void test_free_can_be_used_again(void **state UNUSED)
{
	BUF(b, 4);

	buf_puts(&b, "12345");
	buf_free(&b);
	buf_puts(&b, "1234");
	assert_str(buf_str(&b), "1234");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_straight_through),
		cmocka_unit_test(test_cap_keeps_nothing_of_the_failing_call),
		cmocka_unit_test(test_printf_at_the_cap),
		cmocka_unit_test(test_secrets_are_overwritten),
		cmocka_unit_test(test_printf_grows),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_reserve_and_consume),
		cmocka_unit_test(test_free_can_be_used_again),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
