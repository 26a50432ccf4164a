/* SPDX-License-Identifier: ISC */
#include "cli/password_read.h"

#include <errno.h>
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
static err read_line(struct buf *out)
{
	char c;
	ssize_t n;

	while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
		buf_putc(out, c);
	if (interrupted)
		return err_note(E_CANCELLED, "interrupted");
	if (n < 0)
		return err_note(E_IO, "standard input: %s", strerror(errno));
	if (out->full)
		return err_note(E_LIMIT, "the password is longer than %d octets", PASSWORD_MAX);
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return OK;
}

static err prompt(const char *question, struct buf *out)
{
	fputs(question, stderr);
	err e = read_line(out);
	fputc('\n', stderr);
	return e;
}

static err prompt_twice(struct buf *out)
{
	BUF(again, PASSWORD_MAX);
	err e = prompt("Password: ", out);

	if (e == OK)
		e = prompt("Again: ", &again);
	if (e == OK && !str_equal(buf_str(out), buf_str(&again)))
		e = err_note(E_SYNTAX, "the two passwords differ");
	if (again.p != NULL)
		explicit_bzero(again.p, again.n);
	return e;
}

/* A terminal left without echo is a nuisance: signals only end the reading. */
static err read_from_terminal(struct buf *out)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction note = {.sa_handler = note_signal}, before[ARRAY_LEN(signals)];
	struct termios usual, silent;

	if (tcgetattr(STDIN_FILENO, &usual) != 0)
		return err_note(E_IO, "terminal: %s", strerror(errno));
	silent = usual;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &note, &before[i]);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	err e = prompt_twice(out);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &before[i], NULL);
	return e;
}

err password_read(struct buf *out)
{
	err e = isatty(STDIN_FILENO) ? read_from_terminal(out) : read_line(out);

	if (e == OK && out->n == 0)
		return err_note(E_SYNTAX, "an empty password is none");
	return e;
}
