/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include "base/test.h"

static void charsets(void **state UNUSED)
{
	static const struct {
		const char *charset, *in, *want;
	} cases[] = {
		{"utf-8", "h\xc3\xa9", "h\xc3\xa9"},
		{"", "abc", "abc"},
		{"us-ascii", "h\xe9", "h\xc3\xa9"},
		{"unknown-8bit", "h\xc3\xa9", "h\xc3\xa9"},
		{"utf-8",
	         "a\xff"
	         "b\xc3",
	         "a\xef\xbf\xbd"
	         "b\xef\xbf\xbd"},
		{"ISO-8859-1", "\x80\xe9", "\xe2\x82\xac\xc3\xa9"},
		{"cp1251", "\xef\xf0", "\xd0\xbf\xd1\x80"},
		{"koi8-r", "\xd0\xd2", "\xd0\xbf\xd1\x80"},
		{"iso-2022-jp", "\x1b$B4A\x1b(B", "\xe6\xbc\xa2"},
		{"gb2312", "\xba\xba", "\xe6\xb1\x89"},
		{"windows-1252", "\x81x", "\xef\xbf\xbdx"},
		{"euc-jp", "\xb4", "\xef\xbf\xbd"},
		{"x-sjis", "abc", "abc"},
	};

	charset_prepare();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BUF(out, 100);

		assert_true(charset_to_utf8(&out, str_from(cases[i].charset), str_from(cases[i].in)));
		assert_str(buf_str(&out), cases[i].want);
	}
}

static void no_character_is_torn(void **state UNUSED)
{
	BUF(plain, 3);
	BUF(converted, 3);

	assert_false(charset_to_utf8(&plain, STR("utf-8"), STR("\xc3\xa9\xc3\xa9")));
	assert_str(buf_str(&plain), "\xc3\xa9");
	assert_false(charset_to_utf8(&converted, STR("iso-8859-1"), STR("\xe9\xe9")));
	assert_str(buf_str(&converted), "\xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(charsets),
		cmocka_unit_test(no_character_is_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
