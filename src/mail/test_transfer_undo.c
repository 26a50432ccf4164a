/* SPDX-License-Identifier: ISC */
#include "mail/transfer_undo.h"

#include "base/test.h"

static void contents(void **state UNUSED)
{
	static const struct {
		const char *encoding, *in, *want;
		err e;
	} cases[] = {
		{"base64", "YWJj", "abc", OK},
		{"BASE64", "YW\r\nJj\r\n", "abc", OK},
		{"base64", "YWI=", "ab", OK},
		{"base64", "YWI", "ab", OK},
		{"base64", "Y*W!I", "ab", OK},
		{"base64", "YWI=YWI=", "abab", OK},
		{"base64", "YWJjY", "abc", E_SYNTAX},
		{"base64", "", "", OK},
		{"quoted-printable", "a=3Db =\r\nc", "a=b c", OK},
		{"Quoted-Printable", "=e4= \t\nx", "\xe4x", OK},
		{"quoted-printable", "=G1 =", "=G1 ", OK},
		{"quoted-printable", "a_b=3", "a_b=3", OK},
		{"8bit", "a=3D", "a=3D", OK},
		{"", "abc", "abc", OK},
		{"uuencode", "abc", "", E_SYNTAX},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BUF(out, 100);

		assert_int_equal(transfer_undo(&out, str_from(cases[i].encoding), str_from(cases[i].in)), cases[i].e);
		assert_str(buf_str(&out), cases[i].want);
	}
}

static void what_fits(void **state UNUSED)
{
	static const char *const encodings[] = {"base64", "quoted-printable", "7bit"};
	static const char *const contents_of[] = {"YWJjZGVm", "abcde=66", "abcdef"};

	for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
		BUF(out, 5);
		BUF(whole, 6);

		assert_int_equal(transfer_undo(&out, str_from(encodings[i]), str_from(contents_of[i])), E_LIMIT);
		assert_str(buf_str(&out), "abcde");
		assert_int_equal(transfer_undo(&whole, str_from(encodings[i]), str_from(contents_of[i])), OK);
		assert_str(buf_str(&whole), "abcdef");
	}
}

static void q_encoding(void **state UNUSED)
{
	BUF(out, 100);

	assert_int_equal(transfer_undo_q(&out, STR("a_b=5Fc")), OK);
	assert_str(buf_str(&out), "a b_c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents),
		cmocka_unit_test(what_fits),
		cmocka_unit_test(q_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
