/* SPDX-License-Identifier: ISC */
/* sendmail -bs: SMTP on standard input and output. Some programs wait for each reply and some write all that they have at once, with CRLF or with LF
 * alone: the server hears each step when it has answered the one before. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/sendmail.h"

struct dialogue {
	FILE *from, *to; /* the server */
	char *line, *reply;
	size_t line_room, reply_room;
	bool begun, lf;      /* lines end with LF alone, as the first one did */
	bool greeted, batch; /* something was said before the greeting: the program waits for no reply */
};

/* With its end. False: the program has said all. Who begins with CRLF means LF alone for text: it ends no message there (it would be one within another). */
static bool next_line(struct dialogue *d, str *out)
{
	ssize_t n = getline(&d->line, &d->line_room, stdin);

	if (n <= 0 || d->line[n - 1] != '\n')
		return false;
	*out = str_make(d->line, (size_t)n);
	d->lf = d->begun ? d->lf : !str_ends(*out, STR("\r\n"));
	d->begun = true;
	return true;
}

static bool say(const struct dialogue *d, str line)
{
	size_t n = line.n - (d->lf ? 1 : 0);

	return fwrite(line.p, 1, n, d->to) == n && (!d->lf || fputs("\r\n", d->to) >= 0);
}

static bool program_speaks(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&input, 1, 0) > 0;
}

/* A whole reply, which the program gets. Its code; "": the server has gone. */
static str hear(struct dialogue *d)
{
	ssize_t n;

	do {
		n = fflush(d->to) != 0 ? -1 : getline(&d->reply, &d->reply_room, d->from);
		d->batch = d->batch || (!d->greeted && program_speaks());
		d->greeted = true;
		if (n <= 0 || fwrite(d->reply, 1, (size_t)n, stdout) != (size_t)n)
			return STR("");
	} while (n > 3 && d->reply[3] == '-');
	return fflush(stdout) == 0 ? str_make(d->reply, n < 3 ? (size_t)n : 3) : STR("");
}

static bool say_message(struct dialogue *d)
{
	const str last = d->lf ? STR(".\n") : STR(".\r\n");
	bool at_start = true, over = false;
	str line;

	while (!over) {
		if (!next_line(d, &line) || !say(d, line))
			return false;
		over = at_start && str_equal(line, last);
		at_start = d->lf || str_ends(line, STR("\r\n"));
	}
	return true;
}

/* RFC 3030: the octets come behind the command, whatever is answered. */
static bool say_chunk(const struct dialogue *d, str argument)
{
	uint64_t left = 0;
	int c;

	(void)!str_to_u64(str_word(&argument), UINT64_MAX, &left);
	for (; left > 0; left--)
		if ((c = getchar()) == EOF || putc(c, d->to) == EOF)
			return false;
	return true;
}

/* False: it is over. */
static bool step(struct dialogue *d)
{
	str line, verb, argument, code;

	if (!next_line(d, &line) || !say(d, line))
		return false;
	argument = str_trim(line);
	verb = str_word(&argument);
	bool data = str_equal_nocase(verb, STR("DATA"));
	if (str_equal_nocase(verb, STR("BDAT")) && !say_chunk(d, argument))
		return false;
	code = hear(d);
	if (data && str_equal(code, STR("354")))
		code = say_message(d) ? hear(d) : STR("");
	else if (data && d->batch)
		return false; /* what follows is a message and no commands */
	return code.n > 0 && !str_equal(code, STR("221")) && !str_equal(code, STR("421"));
}

void sendmail_speak(int server)
{
	int other = dup(server);
	struct dialogue d = {.from = fdopen(server, "r"), .to = other < 0 ? NULL : fdopen(other, "w")};

	if (d.from != NULL && d.to != NULL && hear(&d).n > 0)
		while (step(&d))
			;
	if (d.to != NULL)
		fclose(d.to);
	if (d.from != NULL)
		fclose(d.from);
	free(d.line);
	free(d.reply);
}
