/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "conf/suggest.h"
#include "role/role.h"

enum {
	STORE_READER = OPTION_CONFIG | OPTION_JSON,
};

const struct command commands[] = {
	{"serve", "", OPTION_CONFIG | OPTION_SINGLE, 0, 0, "run the server in the foreground; log on standard error",
         "--single runs all roles in one process, for debugging.\n"
         "SIGHUP reads the configuration again, SIGTERM stops.",
         command_serve},
	{"check", "", OPTION_CONFIG | OPTION_DUMP | OPTION_JSON, 0, 0, "read the configuration, say what is wrong",
         "--dump prints every setting with its effective value.\n"
         "Exit status 78 when anything is wrong.",
         command_check},
	{"account",
         "add ADDRESS\n"
         "list\n"
         "show ADDRESS\n"
         "passwd ADDRESS\n"
         "disable ADDRESS\n"
         "enable ADDRESS\n"
         "remove ADDRESS",
         STORE_READER, 1, 2, "who has a mailbox here",
         "add and passwd ask for the password, or read one line from standard input.", command_account},
	{"alias",
         "add ADDRESS TARGET...\n"
         "list [ADDRESS]\n"
         "remove ADDRESS [TARGET...]",
         STORE_READER, 1, 10000, "addresses that stand for others", "remove without targets removes all of them.",
         command_alias},
	{"trace", "ID|MESSAGE-ID|ADDRESS", STORE_READER, 1, 1, "the whole story of a message", "", command_trace},
	{"balance", "", STORE_READER | OPTION_SINCE, 0, 0, "the ledger: was anything lost?",
         "accepted = mailbox + relayed + bounced + discarded + queued, in recipients; exit status 1 if not.\n"
         "--since WHEN (2026-11-21, or with a time: 2026-11-21T08:00:00Z) counts what was accepted from then on.",
         command_balance},
	{"backup", "FOLDER", STORE_READER, 1, 1, "copy the store to a new folder, while it runs", "", command_backup},
	{"restore", "FOLDER", STORE_READER, 1, 1, "bring a backup back into an empty data folder",
         "Only when no server runs.", command_restore},
	{"store",
         "verify\n"
         "stats\n"
         "compact\n"
         "rebuild",
         STORE_READER, 1, 1, "look after the store",
         "verify reads everything and compares; exit status 65 when something is damaged.\n"
         "stats says how much there is. compact gives the space of deleted mail back now.\n"
         "rebuild makes a new database from the segments alone, when the old one is gone; only when no server runs.",
         command_store},
	{"security", "", STORE_READER, 0, 0, "what each process of the running server can do", "", command_security},
	{"reload", "", OPTION_CONFIG, 0, 0, "make the running server read its configuration again", "", command_reload},
	{"stop", "", OPTION_CONFIG, 0, 0, "stop the running server",
         "It finishes what is in the air for up to 10 seconds, as with SIGTERM.", command_stop},
	{"help", "[COMMAND]", 0, 0, 1, "this overview, or more about a command", "", command_help},
	{"version", "", OPTION_JSON, 0, 0, "which Pombo this is", "", command_version},
	{.name = NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int unknown(const char *name)
{
	struct suggestion s = suggest_begin(str_from(name));
	struct invocation inv = {0};

	for (const struct command *c = commands; c->name != NULL; c++)
		suggest_offer(&s, c->name);
	if (s.best != NULL)
		return command_fail(&inv, EX_USAGE, "there is no command \"%s\" (did you mean \"%s\"?)", name, s.best);
	return command_fail(&inv, EX_USAGE, "there is no command \"%s\"; pombo help lists them", name);
}

/* `pombo --role NAME INDEX`: a process of a running server, started by the monitor. */
static int role(int argc, char **argv)
{
	uint64_t index;

	if (argc != 4 || !str_to_u64(str_from(argv[3]), 1000, &index))
		return unknown("--role");
	return role_child(argv[2], (unsigned)index);
}

static int run(const struct command *c, int argc, char **argv)
{
	struct invocation inv = {.command = c, .config_path = COMMAND_CONFIG_DEFAULT};
	bool help = false;
	int status = EX_USAGE;

	if (!invocation_parse(&inv, argc, argv, &help))
		goto out;
	if (help) {
		help_command(c);
		status = EX_OK;
	} else if (inv.words_n < c->least || inv.words_n > c->most) {
		status = command_usage(&inv, "too %s words", inv.words_n < c->least ? "few" : "many");
	} else {
		status = c->run(&inv);
	}
	if (fflush(stdout) != 0 && status == EX_OK)
		status = EX_IOERR;
out:
	free(inv.words);
	return status;
}

static bool one_of(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int cli_main(int argc, char **argv)
{
	if (argc < 2 || one_of(argv[1], "-h", "--help")) {
		help_overview();
		return EX_OK;
	}
	if (strcmp(argv[1], "--role") == 0)
		return role(argc, argv);
	const char *name = one_of(argv[1], "-V", "--version") ? "version" : argv[1];
	const struct command *c = command_find(name);
	return c == NULL ? unknown(name) : run(c, argc - 2, argv + 2);
}
