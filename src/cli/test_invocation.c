/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "cli/command.h"

#include <stdlib.h>

static const struct command reader = {.name = "read",
                                      .arguments = "WORD",
                                      .options = OPTION_CONFIG | OPTION_JSON | OPTION_SINCE,
                                      .summary = "",
                                      .text = ""};

static struct invocation inv;
static bool help;

static bool parse(int n, char **words)
{
	free(inv.words);
	inv = (struct invocation){.command = &reader, .config_path = "default"};
	help = false;
	return invocation_parse(&inv, n, words, &help);
}

#define PARSE(...) parse((int)ARRAY_LEN(((char *[]){__VA_ARGS__})), (char *[]){__VA_ARGS__})

static void words_and_options_mix(void **state UNUSED)
{
	assert_true(PARSE("one", "-c", "file", "two", "--json"));
	assert_int_equal(inv.words_n, 2);
	assert_string_equal(inv.words[1], "two");
	assert_string_equal(inv.config_path, "file");
	assert_true(inv.json);
	assert_false(help);
	assert_true(parse(0, NULL));
	assert_int_equal(inv.words_n, 0);
	assert_string_equal(inv.config_path, "default");
}

static void values_may_hang_on_the_option(void **state UNUSED)
{
	assert_true(PARSE("-cfile", "--since=2026-11-21"));
	assert_string_equal(inv.config_path, "file");
	assert_string_equal(inv.since, "2026-11-21");
	assert_true(PARSE("--since", "2026-11-22", "--config=other"));
	assert_string_equal(inv.since, "2026-11-22");
	assert_string_equal(inv.config_path, "other");
}

static void two_hyphens_end_the_options(void **state UNUSED)
{
	assert_true(PARSE("-c", "file", "--", "-oQ@example.org", "--json"));
	assert_int_equal(inv.words_n, 2);
	assert_string_equal(inv.words[0], "-oQ@example.org");
	assert_false(inv.json);
	assert_true(PARSE("-"));
	assert_int_equal(inv.words_n, 1);
}

static void help_is_asked_for(void **state UNUSED)
{
	assert_true(PARSE("-h"));
	assert_true(help);
	assert_true(PARSE("word", "--help"));
	assert_true(help);
}

static void wrong_options(void **state UNUSED)
{
	assert_false(PARSE("--jsn"));
	assert_false(PARSE("-x"));
	assert_false(PARSE("--json=yes"));
	assert_false(PARSE("--single")); /* of another command */
	assert_false(PARSE("-c"));
	assert_false(PARSE("--since"));
}

static void errors_have_statuses(void **state UNUSED)
{
	for (int e = OK + 1; e <= E_LAST; e++)
		assert_in_range(command_status((err)e), EX__BASE, EX__MAX);
	assert_int_equal(command_status(OK), EX_OK);
	assert_int_equal(command_status(E_NOT_FOUND), EX_NOUSER);
}

static int release(void **state UNUSED)
{
	free(inv.words);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_options_mix),
		cmocka_unit_test(values_may_hang_on_the_option),
		cmocka_unit_test(two_hyphens_end_the_options),
		cmocka_unit_test(help_is_asked_for),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(errors_have_statuses),
	};

	return cmocka_run_group_tests_name("invocation", tests, NULL, release);
}
