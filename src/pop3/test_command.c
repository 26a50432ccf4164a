/* SPDX-License-Identifier: ISC */
#include "pop3/command.h"

#include "base/test.h"

static void parses(void **state)
{
	(void)state;
	struct pop3_command c;

	assert_int_equal(pop3_command_parse(STR("QUIT\r\n"), &c), OK);
	assert_int_equal(c.verb, POP3_QUIT);
	assert_int_equal(c.words_n, 0);
	assert_int_equal(pop3_command_parse(STR("top 1 2147483648\r\n"), &c), OK);
	assert_int_equal(c.verb, POP3_TOP);
	assert_int_equal(c.words_n, 2);
	assert_str(c.words[0], "1");
	assert_str(c.words[1], "2147483648");
	assert_int_equal(pop3_command_parse(STR("uIdL\n"), &c), OK);
	assert_int_equal(c.verb, POP3_UIDL);
	assert_int_equal(pop3_command_parse(STR("NOOP  \r\n"), &c), OK);
	assert_int_equal(pop3_command_parse(STR("auth plain =\r\n"), &c), OK);
	assert_str(c.words[1], "=");
}

/* RFC 1939 7: blanks may be part of the password. */
static void passwords_are_taken_whole(void **state)
{
	(void)state;
	struct pop3_command c;

	assert_int_equal(pop3_command_parse(STR("PASS  two  words \r\n"), &c), OK);
	assert_str(c.argument, " two  words ");
	assert_int_equal(pop3_command_parse(STR("PASS a\r\r\n"), &c), OK);
	assert_str(c.argument, "a\r");
	assert_int_equal(pop3_command_parse(STR("PASS\r\n"), &c), E_SYNTAX);
	assert_int_equal(pop3_command_parse(STR("PASS \r\n"), &c), E_SYNTAX);
}

static void refuses(void **state)
{
	(void)state;
	static const char *const unknown[] = {
		"",        "\r\n",         "\n",        " QUIT\r\n", "QUIT\t\r\n",        "QUITS\r\n",
		"QUI\r\n", "APOP a b\r\n", "STLSX\r\n", "\r\r\n",    "GET / HTTP/1.1\r\n"};
	static const char *const wrong[] = {"QUIT now\r\n",  "RETR\r\n",     "RETR 1 2\r\n", "TOP 1\r\n",
	                                    "TOP 1 2 3\r\n", "LIST 1 2\r\n", "AUTH\r\n",     "AUTH PLAIN a b\r\n",
	                                    "STAT 1\r\n",    "DELE \r\n"};
	struct pop3_command c;

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		assert_int_equal(pop3_command_parse(str_from(unknown[i]), &c), E_NOT_FOUND);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(pop3_command_parse(str_from(wrong[i]), &c), E_SYNTAX);
	assert_int_equal(pop3_command_parse(STR("QUIT\0\r\n"), &c), E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(passwords_are_taken_whole),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
