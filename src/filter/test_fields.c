/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "filter/fields.h"

static void junk(void **state UNUSED)
{
	BUF(out, 4096);

	fields_junk(&out, 7100, STR("helo-no-address 1.5, spf-fail 3"));
	assert_str(buf_str(&out),
	           "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=7.1 helo-no-address 1.5, spf-fail 3\r\n");
	buf_reset(&out);
	fields_junk(&out, 0, STR_NONE);
	assert_str(buf_str(&out), "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=0\r\n");
}

static void folded(void **state UNUSED)
{
	BUF(out, 4096);
	BUF(reasons, 4096);
	str line, rest;

	for (int i = 0; i < 40; i++)
		buf_printf(&reasons, "%srule-number-%d 1.25", i > 0 ? ", " : "", i);
	fields_junk(&out, 50000, buf_str(&reasons));
	for (rest = buf_str(&out); rest.n > 0;) {
		(void)!str_cut(rest, '\n', &line, &rest);
		assert_true(line.n <= 78);
		assert_true(line.p[line.n - 1] == '\r');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(junk),
		cmocka_unit_test(folded),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
