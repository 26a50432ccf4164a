/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "smtp/command.h"

static void assert_command(str line, enum verb verb, const char *args)
{
	struct command c;

	assert_int_equal(command_parse(line, &c), OK);
	assert_int_equal(c.verb, verb);
	assert_str(c.args, args);
}

static void test_verbs(void **state UNUSED)
{
	assert_command(STR("EHLO client.example\r\n"), SMTP_EHLO, "client.example");
	assert_command(STR("mail from:<a@b> SIZE=1  \r\n"), SMTP_MAIL, "from:<a@b> SIZE=1");
	assert_command(STR("QUIT\r\n"), SMTP_QUIT, "");
	assert_command(STR("Data \r\n"), SMTP_DATA, "");
	assert_command(STR("STARTTLS\r\n"), SMTP_STARTTLS, "");
	assert_command(STR("GET / HTTP/1.1\r\n"), SMTP_HTTP, "/ HTTP/1.1");
	assert_command(STR("WHATISTHIS\r\n"), SMTP_UNKNOWN, "");
	assert_command(STR("\r\n"), SMTP_UNKNOWN, "");
	assert_command(STR(" NOOP\r\n"), SMTP_UNKNOWN, "NOOP");
	assert_command(STR("DATAX\r\n"), SMTP_UNKNOWN, "");
	assert_command(STR("VRFY \xc3\xbcser\r\n"), SMTP_VRFY, "\xc3\xbcser");
}

static void test_lines_that_are_no_commands(void **state UNUSED)
{
	const struct {
		str line;
		int reply;
	} bad[] = {
		{STR("NOOP\n"), 500},          {STR("NOOP"), 500},
		{STR("NOOP\r"), 500},          {STR(""), 500},
		{STR("NO\0OP\r\n"), 501},      {STR("NOOP \0\r\n"), 501},
		{STR("\x1b[2JNOOP\r\n"), 501}, {STR("NOOP\r\r\n"), 501},
		{STR("NOOP \x7f\r\n"), 501},   {STR("NOOP \xff\xfe\r\n"), 501},
		{STR("NOOP\tx\r\n"), 501},     {STR("VRFY \xed\xa0\x80\r\n"), 501},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct command c;
		assert_int_equal(command_parse(bad[i].line, &c), E_SYNTAX);
		assert_int_equal(err_info()->reply, bad[i].reply);
	}
}

static void test_rcpt_follows(void **state UNUSED)
{
	assert_true(command_rcpt_follows(STR("RCPT TO:<a@b>\r\nDATA\r\n")));
	assert_true(command_rcpt_follows(STR("rcpt to:<a@b>\r\n")));
	assert_false(command_rcpt_follows(STR("RCPT TO:<a@b>")));
	assert_false(command_rcpt_follows(STR("DATA\r\n")));
	assert_false(command_rcpt_follows(STR("")));
}

static void test_path_argument(void **state UNUSED)
{
	str path;

	assert_int_equal(command_path_argument(STR("from: <a@b> SIZE=1"), STR("FROM:"), &path), OK);
	assert_str(path, "<a@b> SIZE=1");
	assert_int_equal(command_path_argument(STR("FROM:"), STR("FROM:"), &path), E_SYNTAX);
	assert_int_equal(err_info()->reply, 501);
	assert_int_equal(command_path_argument(STR("LALA: <>"), STR("FROM:"), &path), E_SYNTAX);
	assert_int_equal(command_path_argument(STR("FROM <>"), STR("FROM:"), &path), E_SYNTAX);
	assert_int_equal(command_path_argument(STR(""), STR("TO:"), &path), E_SYNTAX);
}

static void test_chunks(void **state UNUSED)
{
	static const char *const bad[] = {
		"",        "LAST",     "-1",    "+5",  "00x", "0x10", "18446744073709551616", "99999999999999999999999",
		"5 FIRST", "5 LAST X", "5LAST", "5.0",
	};
	uint64_t size;
	bool last;

	assert_int_equal(command_chunk(STR("1000"), &size, &last), OK);
	assert_true(size == 1000 && !last);
	assert_int_equal(command_chunk(STR("0  last"), &size, &last), OK);
	assert_true(size == 0 && last);
	assert_int_equal(command_chunk(STR("18446744073709551615 LAST"), &size, &last), OK);
	assert_true(size == UINT64_MAX && last);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(command_chunk(str_from(bad[i]), &size, &last), E_SYNTAX);
		assert_int_equal(err_info()->reply, 501);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs),        cmocka_unit_test(test_lines_that_are_no_commands),
		cmocka_unit_test(test_rcpt_follows), cmocka_unit_test(test_path_argument),
		cmocka_unit_test(test_chunks),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
