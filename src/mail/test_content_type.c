/* SPDX-License-Identifier: ISC */
#include "mail/content_type.h"

#include "base/test.h"

static void types(void **state UNUSED)
{
	static const struct {
		const char *value, *type, *subtype; /* type NULL: none */
	} cases[] = {
		{"text/plain", "text", "plain"},
		{" Text/HTML; charset=utf-8", "Text", "HTML"},
		{"\r\n\ttext / plain (a (nested \\) comment)) ; x=y", "text", "plain"},
		{"multipart/mixed;boundary=x", "multipart", "mixed"},
		{"(first) image/svg+xml", "image", "svg+xml"},
		{"text", NULL, NULL},
		{"", NULL, NULL},
		{"/plain", NULL, NULL},
		{"text/", NULL, NULL},
		{"text;plain", NULL, NULL},
		{"(never ends text/plain", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct content_type t;
		bool found = content_type_parse(str_from(cases[i].value), &t);

		if (found != (cases[i].type != NULL))
			fail_msg("%s", cases[i].value);
		if (!found)
			continue;
		assert_str(t.type, cases[i].type);
		assert_str(t.subtype, cases[i].subtype);
	}
}

static void parameters(void **state UNUSED)
{
	static const struct {
		const char *params, *want; /* of "boundary" */
	} cases[] = {
		{"; boundary=abc", "abc"},
		{";boundary = \"a b;c\" ; x=y", "a b;c"},
		{"; charset=\"x;boundary=no\"; BOUNDARY=yes", "yes"},
		{";\r\n\tboundary=(comment)abc(another)", "abc"},
		{"; boundary=\"a\\\"b\\\\c\"", "a\"b\\c"},
		{"; boundary=----=_Part_1/2", "----=_Part_1/2"},
		{"; x; boundary=abc", "abc"},
		{"; x=; boundary=abc", "abc"},
		{";; boundary=abc; boundary=def", "abc"},
		{"; boundary=\"folded\r\n here\"", "folded here"},
		{"; boundary=\"never ends", ""},
		{"; boundary", ""},
		{"; boundary=", ""},
		{"; boundaries=abc", ""},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ARENA(a, 1024);

		assert_str(content_type_param(str_from(cases[i].params), STR("boundary"), &a), cases[i].want);
	}
}

static void tokens(void **state UNUSED)
{
	assert_str(content_type_token(STR(" (c) Base64 (d)")), "Base64");
	assert_str(content_type_token(STR("8bit;x")), "8bit");
	assert_str(content_type_token(STR("\"8bit\"")), "");
	assert_str(content_type_token(STR("")), "");
}

static void no_memory(void **state UNUSED)
{
	ARENA(a, 1);

	assert_str(
		content_type_param(STR("; boundary=\"\\0123456789012345678901234567890123456789\""), STR("boundary"), &a),
		"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(parameters),
		cmocka_unit_test(tokens),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests_name("content_type", tests, NULL, NULL);
}
