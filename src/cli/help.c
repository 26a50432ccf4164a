/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "cli/command.h"
#include "cli/output.h"
#include "base/encode.h"

static const char lines[] =
	"One program is the whole mail server; one file says how it behaves (man 5 pombo.conf).\n\n";

static const char first_steps[] =
	"\nFirst steps: write " COMMAND_CONFIG_DEFAULT " with the three lines\n\n"
	"    version 1\n"
	"    hostname mail.example.org\n"
	"    domain example.org\n\n"
	"then: pombo check; pombo account add alice@example.org; pombo serve\n"
	"Options of all commands: -c FILE another configuration, --json one object a line, -h more.\n";

enum { SUMMARY_COLUMN = 44 };

/* account add|list|show ...: the first words of the forms, when there are several. */
static void print_overview(const struct command *c)
{
	BUF(line, 256);
	str rest = str_from(c->arguments), form;
	str before = STR_NONE;
	bool more = true, arguments = false;

	buf_printf(&line, "  pombo %s ", c->name);
	if (str_find(rest, '\n') == rest.n) {
		buf_put(&line, rest);
		more = false;
	}
	while (more) {
		more = str_cut(rest, '\n', &form, &rest);
		str word = str_word(&form);
		if (!str_equal(word, before))
			buf_printf(&line, "%s" STR_FMT, before.n > 0 ? "|" : "", STR_ARG(word));
		before = word;
		arguments = arguments || form.n > 0;
	}
	buf_puts(&line, arguments ? " ..." : "");
	/* What is too long has its summary on the next line. */
	printf("%-*.*s%s%*s%s\n", SUMMARY_COLUMN, STR_ARG(buf_str(&line)), line.n < SUMMARY_COLUMN ? "" : "\n",
	       line.n < SUMMARY_COLUMN ? 0 : SUMMARY_COLUMN, "", c->summary);
}

void help_overview(void)
{
	printf("Pombo %s, a mail server.\n", POMBO_VERSION);
	fputs(lines, stdout);
	for (const struct command *c = commands; c->name != NULL; c++)
		print_overview(c);
	fputs(first_steps, stdout);
}

static void print_options(const struct command *c)
{
	static const struct {
		unsigned bit;
		const char *text;
	} options[] = {
		{OPTION_CONFIG, "  -c FILE       the configuration, instead of " COMMAND_CONFIG_DEFAULT},
		{OPTION_JSON, "  --json        one JSON object a line"},
		{OPTION_SINGLE, "  --single      all roles in one process"},
		{OPTION_DUMP, "  --dump        print every setting"},
		{OPTION_SINCE, "  --since WHEN  from then on"},
		{OPTION_CREATE, "  --create      make the mailbox when it is not there"},
		{OPTION_EXPIRES, "  --expires TIME not accepted after that time: 90d, 12h"},
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if ((c->options & options[i].bit) != 0)
			printf("%s\n", options[i].text);
}

void help_command(const struct command *c)
{
	str rest = str_from(c->arguments), form;
	bool more = true;

	printf("pombo %s: %s\n\n", c->name, c->summary);
	while (more) {
		more = str_cut(rest, '\n', &form, &rest);
		printf("  pombo %s%s" STR_FMT "\n", c->name, form.n > 0 ? " " : "", STR_ARG(form));
	}
	if (c->options != 0)
		printf("\n");
	print_options(c);
	if (c->text[0] != '\0')
		printf("\n%s\n", c->text);
}

int command_help(const struct invocation *inv)
{
	const struct command *c;

	if (inv->words_n == 0) {
		help_overview();
		return EX_OK;
	}
	c = command_find(inv->words[0]);
	if (c == NULL)
		return command_usage(inv, "there is no command \"%s\"", inv->words[0]);
	help_command(c);
	return EX_OK;
}

int command_version(const struct invocation *inv)
{
	if (inv->json)
		printf("{\"version\":\"%s\"}\n", POMBO_VERSION);
	else
		printf("pombo %s\n", POMBO_VERSION);
	return EX_OK;
}
