/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "cli/password_read.h"
#include "sasl/password.h"

#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Standard input becomes a pipe that holds `bytes` and ends there. */
static void feed(str bytes)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes.p, bytes.n), (ssize_t)bytes.n);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
}

static void expect(str bytes, err e, const char *password)
{
	BUF(out, PASSWORD_MAX);

	feed(bytes);
	assert_int_equal(password_read(&out), e);
	if (e == OK)
		assert_str(buf_str(&out), password);
}

static void one_line_of_a_pipe(void **state UNUSED)
{
	expect(STR("secret\nrest"), OK, "secret");
	expect(STR(" two  words \n"), OK, " two  words ");
	expect(STR("without an end"), OK, "without an end");
	expect(STR("with CRLF\r\n"), OK, "with CRLF");
	expect(STR("\n"), E_SYNTAX, NULL);
	expect(STR(""), E_SYNTAX, NULL);
}

static void nothing_behind_the_line_is_taken(void **state UNUSED)
{
	BUF(out, PASSWORD_MAX);
	char rest[8];

	feed(STR("one\ntwo\n"));
	assert_int_equal(password_read(&out), OK);
	assert_int_equal(read(STDIN_FILENO, rest, sizeof(rest)), 4);
}

static void too_long(void **state UNUSED)
{
	BUF(line, PASSWORD_MAX + 2);

	while (line.n <= PASSWORD_MAX)
		buf_putc(&line, 'x');
	expect(buf_str(&line), E_LIMIT, NULL);
}

/* What a terminal's user sees and types: a child reads, this process is the person. Returns the child's exit status. */
static int type(const char *answers, char *seen, size_t size)
{
	int terminal, status;
	size_t n = 0;
	ssize_t got;
	pid_t child = forkpty(&terminal, NULL, NULL, NULL);

	if (child == 0) {
		BUF(out, PASSWORD_MAX);
		_exit(password_read(&out) != OK ? 1 : str_equal(buf_str(&out), STR("secret")) ? 0 : 2);
	}
	assert_true(child > 0);
	while (n + 1 < size && (got = read(terminal, seen + n, size - 1 - n)) > 0) {
		n += (size_t)got;
		seen[n] = '\0';
		if (n >= 2 && strcmp(seen + n - 2, ": ") == 0) { /* a question */
			size_t line = strcspn(answers, "\n") + 1;
			assert_int_equal(write(terminal, answers, line), (ssize_t)line);
			answers += line;
		}
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	close(terminal);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void a_terminal_is_asked_twice_without_echo(void **state UNUSED)
{
	char seen[256];

	assert_int_equal(type("secret\nsecret\n", seen, sizeof(seen)), 0);
	assert_non_null(strstr(seen, "Password: "));
	assert_non_null(strstr(seen, "Again: "));
	assert_null(strstr(seen, "secret"));
	assert_int_equal(type("secret\nsecrets\n", seen, sizeof(seen)), 1);
	assert_int_equal(type("\003\n", seen, sizeof(seen)), 1); /* Ctrl-C */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_of_a_pipe),
		cmocka_unit_test(nothing_behind_the_line_is_taken),
		cmocka_unit_test(too_long),
		cmocka_unit_test(a_terminal_is_asked_twice_without_echo),
	};

	return cmocka_run_group_tests_name("password_read", tests, NULL, NULL);
}
