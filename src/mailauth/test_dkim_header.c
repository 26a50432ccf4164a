/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_header.h"

#include "base/buf.h"
#include "base/test.h"

#define HEADER STR("To: 1\r\nFrom: 2\r\nTO : 3\r\nTox: 4\r\nto: 5\r\n")

static void assert_taken(struct dkim_header *h, const char *name, const char *value)
{
	const struct header_field *f = dkim_header_take(h, str_from(name));

	if (value == NULL)
		assert_null(f);
	else
		assert_str(str_trim(f->value), value);
}

/* RFC 6376 5.4.2: from the last one up; then there is none. */
static void test_take(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct dkim_header h;

	assert_int_equal(dkim_header_read(HEADER, &a, &h), OK);
	for (int i = 0; i < 2; i++) {
		dkim_header_rewind(&h);
		assert_int_equal(dkim_header_taken(&h, STR("to")), 0);
		assert_taken(&h, "to", "5");
		assert_taken(&h, "To", "3");
		assert_taken(&h, "From", "2");
		assert_taken(&h, "From", NULL);
		assert_int_equal(dkim_header_taken(&h, STR("TO")), 2);
		assert_taken(&h, "tO", "1");
		assert_taken(&h, "to", NULL);
		assert_taken(&h, "tox", "4");
		assert_taken(&h, "", NULL);
		assert_taken(&h, "Subject", NULL);
	}
	assert_int_equal(dkim_header_count(&h, STR("to")), 3);
	assert_int_equal(dkim_header_count(&h, STR("t")), 0);
}

static void test_empty(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	struct dkim_header h;

	assert_int_equal(dkim_header_read(STR(""), &a, &h), OK);
	dkim_header_rewind(&h);
	assert_taken(&h, "From", NULL);
	assert_int_equal(h.n, 0);
}

static void test_many(void **state UNUSED)
{
	ARENA(a, 4 << 20);
	ARENA(small, 64);
	BUF(b, 2 << 20);
	struct dkim_header h;

	for (int i = 0; i < DKIM_HEADER_FIELDS_MAX; i++)
		buf_printf(&b, "X-%d: y\r\n", i % 7);
	assert_int_equal(dkim_header_read(buf_str(&b), &a, &h), OK);
	assert_false(h.too_large);
	assert_int_equal(dkim_header_count(&h, STR("x-3")),
	                 DKIM_HEADER_FIELDS_MAX / 7 + (3 < DKIM_HEADER_FIELDS_MAX % 7));
	buf_puts(&b, "To: x\r\n");
	assert_int_equal(dkim_header_read(buf_str(&b), &a, &h), OK);
	assert_true(h.too_large);
	assert_int_equal(dkim_header_read(buf_str(&b), &small, &h), E_LIMIT);
	buf_reset(&b);
	buf_puts(&b, "X: ");
	while (b.n < DKIM_HEADER_MAX)
		buf_puts(&b, "0123456789");
	assert_int_equal(dkim_header_read(buf_str(&b), &a, &h), OK);
	assert_true(h.too_large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
