/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "conf/lexer.h"

/* Every token as a letter and its text, one after the other. */
static void expect(str text, const char *tokens)
{
	static const char letters[] = "w{}n.!";
	ARENA(a, 64 << 10);
	BUF(out, 4096);
	struct lexer l = lexer_of(text, &a);
	struct token t;

	do {
		t = lexer_next(&l);
		buf_putc(&out, letters[t.kind]);
		if (t.kind == TOKEN_WORD)
			buf_printf(&out, "[" STR_FMT "]", STR_ARG(t.text));
	} while (t.kind != TOKEN_END);
	buf_putc(&out, '\0');
	assert_string_equal(out.p, tokens);
}

static void words_and_lines(void **state UNUSED)
{
	expect(STR(""), ".");
	expect(STR("version 1\n"), "w[version]w[1]n.");
	expect(STR("\tversion  1\r\nhostname a"), "w[version]w[1]nw[hostname]w[a].");
	expect(STR("\xef\xbb\xbfversion 1"), "w[version]w[1].");
	expect(STR("listen smtp [::1]:25"), "w[listen]w[smtp]w[[::1]:25].");
}

static void comments(void **state UNUSED)
{
	expect(STR("# all of it"), ".");
	expect(STR("a # rest { \" \xff\nb"), "w[a]nw[b].");
	expect(STR("a#b"), "w[a#b].");
}

static void blocks(void **state UNUSED)
{
	expect(STR("domain a.b{catchall x@y}"), "w[domain]w[a.b]{w[catchall]w[x@y]}.");
	expect(STR("{\n}\n"), "{n}n.");
}

static void quotes(void **state UNUSED)
{
	expect(STR("a \"b c\" d"), "w[a]w[b c]w[d].");
	expect(STR("\"\""), "w[].");
	expect(STR("\"a\\\"b\\\\c\""), "w[a\"b\\c].");
	expect(STR("\"{ # }\"{"), "w[{ # }]{.");
	expect(STR("\"a\nb"), "!nw[b].");
	expect(STR("\"a\\n\" b\nc"), "!nw[c].");
	expect(STR("\"a\"b"), "!w[b].");
	expect(STR("a\"b\""), "!w[b].");
	expect(STR("\""), "!.");
}

static void bad_bytes(void **state UNUSED)
{
	expect(STR("a\x01"
	           "b"),
	       "w[a]!w[b].");
	expect(STR("a\0b"), "w[a]!w[b].");
	expect(STR("a\x7f"), "w[a]!.");
	expect(STR("\xff"), "!.");
	expect(STR("\"\xc3\""), "!.");
	expect(STR("m\xc3\xbcller"), "w[m\xc3\xbcller].");
}

static void places_count_characters(void **state UNUSED)
{
	ARENA(a, 1024);
	struct lexer l = lexer_of(STR("m\xc3\xbcller  x\n \"y\" z"), &a);
	static const unsigned places[][2] = {{1, 1}, {1, 9}, {1, 10}, {2, 2}, {2, 6}, {2, 7}};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct token t = lexer_next(&l);
		assert_int_equal(t.line, places[i][0]);
		assert_int_equal(t.column, places[i][1]);
	}
}

static void printed_words_are_read_again(void **state UNUSED)
{
	static const str words[] = {{"a", 1}, {"", 0},     {"a b", 3}, {"#a", 2},    {"a#", 2},
	                            {"{", 1}, {"a\"b", 3}, {"\\", 1},  {"a\\ \"", 4}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		ARENA(a, 1024);
		BUF(out, 1024);
		lexer_print_word(&out, words[i]);
		struct lexer l = lexer_of(buf_str(&out), &a);
		struct token t = lexer_next(&l);
		assert_int_equal(t.kind, TOKEN_WORD);
		assert_true(str_equal(t.text, words[i]));
		assert_int_equal(lexer_next(&l).kind, TOKEN_END);
	}
	assert_false(lexer_needs_quotes(STR("[::1]:25")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_lines),
		cmocka_unit_test(comments),
		cmocka_unit_test(blocks),
		cmocka_unit_test(quotes),
		cmocka_unit_test(bad_bytes),
		cmocka_unit_test(places_count_characters),
		cmocka_unit_test(printed_words_are_read_again),
	};

	return cmocka_run_group_tests_name("lexer", tests, NULL, NULL);
}
