/* SPDX-License-Identifier: ISC */
#include "sasl/prepare.h"

#include "base/test.h"

static const struct example {
	str text;
	const char *normal; /* NULL: refused */
} examples[] = {
	/* RFC 4013 3 */
	{STR("I\xc2\xadX"), "IX"},
	{STR("user"), "user"},
	{STR("USER"), "USER"},
	{STR("\xc2\xaa"), "a"},
	{STR("\xe2\x85\xa8"), "IX"},
	{STR("\xd8\xa7\x31"), NULL},
	/* ASCII is not looked at */
	{STR("a\x07z"), "a\x07z"},
	{STR(""), ""},
	/* an accent of its own, a blank that does not break, full-width digits */
	{STR("Ade\xcc\x81"), "Ad\xc3\xa9"},
	{STR("a\xc2\xa0z"), "a z"},
	{STR("\xef\xbc\x91\xef\xbc\x92"), "12"},
	/* unassigned in Unicode 3.2 */
	{STR("\xf0\x9f\x95\x8a"), "\xf0\x9f\x95\x8a"},
	/* a control, one for private use, one for tagging, no UTF-8, a NUL, nothing left */
	{STR("\xc3\xa9\x7f"), NULL},
	{STR("\xee\x80\x80"), NULL},
	{STR("\xf3\xa0\x81\x81"), NULL},
	{STR("\xc3"), NULL},
	{STR("\xc3\xa9\0"), NULL},
	{STR("\xc2\xad"), NULL},
};

static void normal_forms(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		const struct example *x = &examples[i];
		ARENA(a, 1 << 16);
		BUF(out, 100);

		assert_int_equal(prepare_strictly(x->text, &out), x->normal != NULL ? OK : E_SYNTAX);
		if (x->normal != NULL)
			assert_str(buf_str(&out), x->normal);
		str said = prepare(x->text, &a);
		assert_true(str_equal(said, x->normal != NULL ? str_from(x->normal) : x->text));
	}
}

static void ascii_costs_nothing(void **state)
{
	(void)state;
	ARENA(a, 1 << 16);
	str text = STR("correct horse battery staple");

	assert_ptr_equal(prepare(text, &a).p, text.p);
	assert_null(a.block);
}

static void room(void **state)
{
	(void)state;
	static char text[8000];
	BUF(out, 3);
	ARENA(a, 100);

	memset(text, 'a', sizeof(text));
	memcpy(text, "\xc3\xa9", 2);
	assert_int_equal(prepare_strictly(str_make(text, sizeof(text)), &out), E_LIMIT);
	assert_int_equal(prepare_strictly(str_make(text, 10), &out), E_LIMIT);
	assert_ptr_equal(prepare(str_make(text, 2000), &a).p, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_forms),
		cmocka_unit_test(ascii_costs_nothing),
		cmocka_unit_test(room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
