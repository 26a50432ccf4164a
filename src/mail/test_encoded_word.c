/* SPDX-License-Identifier: ISC */
#include "mail/encoded_word.h"

#include "base/test.h"

static void words(void **state UNUSED)
{
	static const struct {
		const char *in, *want;
		bool any;
	} cases[] = {
		{"plain text", "plain text", false},
		{" folded\r\n text ", "folded text", false},
		{"=?utf-8?Q?caf=C3=A9_x?=", "caf\xc3\xa9 x", true},
		{"=?ISO-8859-1?q?caf=E9?= au lait", "caf\xc3\xa9 au lait", true},
		{"=?utf-8?B?YWJj?= =?utf-8?B?ZGVm?=", "abcdef", true},
		{"=?utf-8?B?YWJj?=\r\n\t=?iso-8859-1?Q?d?= e", "abcd e", true},
		{"=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "\xc3\xa9", true},
		{"=?utf-8*de?Q?x?=", "x", true},
		{"=?utf-8?B?YWJj", "=?utf-8?B?YWJj", false},
		{"=?utf-8?X?YWJj?=", "=?utf-8?X?YWJj?=", false},
		{"1=2 =?", "1=2 =?", false},
		{"=?utf-8?Q?a=0D=0Ab=1B?=", "ab ", true},
		{"caf\xe9", "caf\xc3\xa9", false},
		{"", "", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BUF(out, 100);

		encoded_words_decode(&out, str_from(cases[i].in));
		assert_str(buf_str(&out), cases[i].want);
		assert_int_equal(encoded_words_any(str_from(cases[i].in)), cases[i].any);
	}
}

static void bounded(void **state UNUSED)
{
	BUF(in, 1 << 20);
	BUF(out, 10);

	while (!in.full)
		buf_puts(&in, "=?utf-8?Q?=?=?");
	encoded_words_decode(&out, buf_str(&in));
	assert_true(out.n <= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
