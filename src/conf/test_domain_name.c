/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "base/buf.h"
#include "conf/domain_name.h"

static void expect(str name, const char *folded)
{
	ARENA(a, 4096);
	str out;
	err e = domain_name_fold(name, &a, &out);

	if (folded == NULL) {
		assert_int_equal(e, E_SYNTAX);
		assert_true(err_info()->text[0] != '\0');
		return;
	}
	assert_int_equal(e, OK);
	assert_true(str_equal(out, str_from(folded)));
}

static void good_names(void **state UNUSED)
{
	expect(STR("example.org"), "example.org");
	expect(STR("Mail.EXAMPLE.org"), "mail.example.org");
	expect(STR("localhost"), "localhost");
	expect(STR("3com.com"), "3com.com");
	expect(STR("m\xc3\xbcller.example"), "xn--mller-kva.example");
	expect(STR("M\xc3\x9cLLER.example"), "xn--mller-kva.example");
	expect(STR("xn--mller-kva.example"), "xn--mller-kva.example");
	expect(STR("stra\xc3\x9f"
	           "e.example"),
	       "xn--strae-oqa.example"); /* IDNA 2008: sharp s is a letter of its own */
}

static void bad_names(void **state UNUSED)
{
	expect(STR(""), NULL);
	expect(STR("."), NULL);
	expect(STR("example.org."), NULL);
	expect(STR("a..b"), NULL);
	expect(STR("-a.b"), NULL);
	expect(STR("a-.b"), NULL);
	expect(STR("a_b.c"), NULL);
	expect(STR("a b.c"), NULL);
	expect(STR("192.0.2.1"), NULL);
	expect(STR("[192.0.2.1]"), NULL);
	expect(STR("user@example.org"), NULL);
	expect(STR("a\0b"), NULL);
	expect(STR("xn--a-\xff"), NULL);
	expect(STR("0123456789012345678901234567890123456789012345678901234567890123.example"), NULL);
}

static void too_long(void **state UNUSED)
{
	BUF(name, 2048);
	for (int i = 0; i < 130; i++)
		buf_puts(&name, "a.");
	buf_puts(&name, "example");
	expect(buf_str(&name), NULL);
	for (int i = 0; i < 600; i++)
		buf_putc(&name, 'a');
	expect(buf_str(&name), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names),
		cmocka_unit_test(bad_names),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests_name("domain_name", tests, NULL, NULL);
}
