/* SPDX-License-Identifier: ISC */
#include "cli/password_read.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "sasl/password.h"

static volatile sig_atomic_t interrupted;

static void note_signal(int number UNUSED)
{
	interrupted = 1;
}

/* Byte by byte, so that nothing behind the line is taken. */
static err read_line(int fd, struct buf *out)
{
	char c;
	ssize_t n;

	while ((n = read(fd, &c, 1)) == 1 && c != '\n')
		buf_putc(out, c);
	if (interrupted)
		return err_note(E_CANCELLED, "interrupted");
	if (n < 0)
		return err_note(E_IO, "reading a password: %s", strerror(errno));
	if (out->full)
		return err_note(E_LIMIT, "the password is longer than %d octets", PASSWORD_MAX);
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return OK;
}

static err prompt(int fd, const char *question, struct buf *out)
{
	fputs(question, stderr);
	err e = read_line(fd, out);
	fputc('\n', stderr);
	return e;
}

static err prompt_twice(int fd, struct buf *out)
{
	BUF(again, PASSWORD_MAX);
	err e = prompt(fd, "Password: ", out);

	if (e == OK)
		e = prompt(fd, "Again: ", &again);
	if (e == OK && !str_equal(buf_str(out), buf_str(&again)))
		e = err_note(E_SYNTAX, "the two passwords differ");
	if (again.p != NULL)
		explicit_bzero(again.p, again.n);
	return e;
}

/* A terminal left without echo is a nuisance: signals only end the reading. `question`: NULL for a new password, which is asked twice. */
static err read_from_terminal(int fd, const char *question, struct buf *out)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction note = {.sa_handler = note_signal}, before[ARRAY_LEN(signals)];
	struct termios usual, silent;

	if (tcgetattr(fd, &usual) != 0)
		return err_note(E_IO, "terminal: %s", strerror(errno));
	silent = usual;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &note, &before[i]);
	(void)tcsetattr(fd, TCSAFLUSH, &silent);
	err e = question == NULL ? prompt_twice(fd, out) : prompt(fd, question, out);
	(void)tcsetattr(fd, TCSAFLUSH, &usual);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &before[i], NULL);
	return e;
}

err password_read(struct buf *out)
{
	err e = isatty(STDIN_FILENO) ? read_from_terminal(STDIN_FILENO, NULL, out) : read_line(STDIN_FILENO, out);

	if (e == OK && out->n == 0)
		return err_note(E_SYNTAX, "an empty password is none");
	return e;
}

err password_ask(const char *question, struct buf *out)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_note(E_DENIED, "a password is needed, and there is no terminal to ask for it");
	err e = read_from_terminal(fd, question, out);
	close(fd);
	return e;
}
