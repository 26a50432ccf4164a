/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "mailauth/gzip.h"

static void fill(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_putc(b, (char)('a' + i * i % 23));
}

static void there_and_back(size_t n, size_t most)
{
	BUF(plain, 1 << 20);
	BUF(packed, 1 << 20);
	BUF(again, most);

	fill(&plain, n);
	assert_int_equal(gzip_pack(buf_str(&plain), &packed), OK);
	assert_true(gzip_is(buf_str(&packed)));
	err e = gzip_unpack(buf_str(&packed), &again);
	assert_int_equal(e, n <= most ? OK : E_LIMIT);
	if (e == OK)
		assert_true(str_equal(buf_str(&plain), buf_str(&again)));
	assert_true(again.n <= most);
}

static void test_there_and_back(void **state UNUSED)
{
	static const size_t sizes[] = {0, 1, 1000, 16383, 16384, 16385, 32768, 500000};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		there_and_back(sizes[i], 1 << 20);
		there_and_back(sizes[i], sizes[i]);
		there_and_back(sizes[i] + 1, sizes[i]);
	}
}

/* RFC 1952 2.2 */
static void test_members(void **state UNUSED)
{
	BUF(packed, 1 << 10);
	BUF(out, 1 << 10);

	assert_int_equal(gzip_pack(STR("one, "), &packed), OK);
	assert_int_equal(gzip_pack(STR(""), &packed), OK);
	assert_int_equal(gzip_pack(STR("two"), &packed), OK);
	buf_put(&packed, STR("\0\0\r\n"));
	assert_int_equal(gzip_unpack(buf_str(&packed), &out), OK);
	assert_str(buf_str(&out), "one, two");
}

static void test_malformed(void **state UNUSED)
{
	BUF(packed, 1 << 10);
	BUF(out, 1 << 10);

	assert_false(gzip_is(STR("{")));
	assert_int_equal(gzip_unpack(STR(""), &out), E_SYNTAX);
	assert_int_equal(gzip_unpack(STR("{}"), &out), E_SYNTAX);
	assert_int_equal(gzip_pack(STR("something"), &packed), OK);
	for (size_t n = 0; n < packed.n; n++) {
		buf_reset(&out);
		assert_int_equal(gzip_unpack(str_take(buf_str(&packed), n), &out), E_SYNTAX);
	}
	packed.p[packed.n - 6] ^= 1; /* of the checksum */
	buf_reset(&out);
	assert_int_equal(gzip_unpack(buf_str(&packed), &out), E_SYNTAX);
}

/* A thousand times what it came as. */
static void test_bomb(void **state UNUSED)
{
	BUF(zeros, 8 << 20);
	BUF(packed, 1 << 16);
	BUF(out, 1 << 20);
	BUF(small, 100);
	char *p = buf_reserve(&zeros, 8 << 20);

	assert_non_null(p);
	memset(p, 0, 8 << 20);
	buf_commit(&zeros, 8 << 20);
	assert_int_equal(gzip_pack(buf_str(&zeros), &packed), OK);
	assert_int_equal(gzip_unpack(buf_str(&packed), &out), E_LIMIT);
	assert_int_equal(out.n, 1 << 20);
	assert_int_equal(gzip_pack(buf_str(&zeros), &small), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
