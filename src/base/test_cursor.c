/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/buf.h"
#include "base/cursor.h"

static bool is_lower(unsigned char c)
{
	return c >= 'a' && c <= 'z';
}

static void test_text_straight_through(void **state UNUSED)
{
	struct cursor c = cursor_of(STR("size=120;Key:rest"));

	assert_str(cursor_take_while(&c, is_lower), "size");
	cursor_expect(&c, '=');
	assert_int_equal(cursor_number(&c, 200), 120);
	assert_false(cursor_accept(&c, ','));
	assert_true(cursor_accept(&c, ';'));
	assert_false(cursor_accept_str(&c, STR("key")));
	assert_true(cursor_accept_nocase(&c, STR("key")));
	assert_str(cursor_take_until(&c, 'e'), ":r");
	assert_int_equal(cursor_peek(&c), 'e');
	assert_true(cursor_accept_str(&c, STR("est")));
	assert_true(cursor_end(&c));
	assert_int_equal(cursor_peek(&c), -1);
	assert_false(c.failed);
}

static void test_failure_sticks_and_moves_nothing(void **state UNUSED)
{
	struct cursor c = cursor_of(STR("abc"));

	cursor_expect(&c, 'x');
	assert_true(c.failed);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_peek(&c), -1);
	assert_false(cursor_accept(&c, 'a'));
	assert_false(cursor_accept_str(&c, STR("a")));
	assert_str(cursor_take_until(&c, 'c'), "");
	assert_str(cursor_take_while(&c, is_lower), "");
	assert_str(cursor_rest(&c), "");
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(*c.p, 'a');
}

static void test_numbers(void **state UNUSED)
{
	struct cursor c = cursor_of(STR("201"));

	assert_int_equal(cursor_number(&c, 200), 0);
	assert_true(c.failed);
	c = cursor_of(STR("x"));
	assert_int_equal(cursor_number(&c, 200), 0);
	assert_true(c.failed);
	c = cursor_of(STR_NONE);
	assert_int_equal(cursor_number(&c, 200), 0);
	assert_true(c.failed);
}

static void test_binary(void **state UNUSED)
{
	struct cursor c = cursor_of(STR("\x01\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01xy"));

	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_le32(&c), 0x01020304);
	assert_true(cursor_le64(&c) == 0x0102030405060708);
	assert_str(cursor_bytes(&c, 2), "xy");
	assert_false(c.failed);
	assert_int_equal(cursor_le32(&c), 0);
	assert_true(c.failed);
}

static void test_varint_round_trip(void **state UNUSED)
{
	static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX >> 1, UINT64_MAX};
	BUF(b, 1000);

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		buf_varint(&b, values[i]);
	struct cursor c = cursor_of(buf_str(&b));
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_true(cursor_varint(&c) == values[i]);
	assert_true(cursor_end(&c) && !c.failed);
}

static void test_varint_faults(void **state UNUSED)
{
	const str bad[] = {
		STR(""),
		STR("\x80"),
		STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
		STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct cursor c = cursor_of(bad[i]);
		assert_true(cursor_varint(&c) == 0);
		assert_true(c.failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_straight_through),
		cmocka_unit_test(test_failure_sticks_and_moves_nothing),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_varint_round_trip),
		cmocka_unit_test(test_varint_faults),
	};

	return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
