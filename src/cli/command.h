/* SPDX-License-Identifier: ISC */
/* A command of `pombo`: what it is called with, what it prints, what it exits with (sysexits.h). */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <sysexits.h>

#include "base/err.h"
#include "conf/config.h"

#define COMMAND_CONFIG_DEFAULT "/etc/pombo/pombo.conf"

enum command_option {
	OPTION_CONFIG = 1, /* -c FILE */
	OPTION_JSON = 2,   /* --json */
	OPTION_SINGLE = 4, /* --single */
	OPTION_DUMP = 8,   /* --dump */
	OPTION_SINCE = 16, /* --since WHEN */
	OPTION_EXPIRES = 32, /* --expires TIME */
	OPTION_CREATE = 64   /* --create */
};

struct command;

/* What was typed. */
struct invocation {
	const struct command *command;
	const char *config_path;
	bool json, single, dump, create;
	const char *since, *expires; /* NULL: not given */
	char **words;      /* what is neither the command nor an option */
	size_t words_n;
};

struct command {
	const char *name;
	const char *arguments; /* of each form on a line: "add ADDRESS\nlist" */
	unsigned options;      /* of enum command_option */
	size_t least, most;    /* how many words it takes */
	bool own_options;      /* it reads its options by itself, and its help: they are among the words */
	const char *summary;   /* a few words, for the overview */
	const char *text;      /* what `pombo help COMMAND` adds; lines, may be "" */
	int (*run)(const struct invocation *inv);
};

extern const struct command commands[];               /* ends with name NULL */
const struct command *command_find(const char *name); /* NULL */

/* Options may stand anywhere; `--` ends them. False after a message on standard error. `help` is set by -h and --help. */
MUST_USE bool invocation_parse(struct invocation *inv, int argc, char **argv, bool *help);

/* One line on standard error, "pombo COMMAND: ...", control characters escaped; returns `status`. */
int command_fail(const struct invocation *inv, int status, const char *fmt, ...) PRINTF(3, 4);
int command_usage(const struct invocation *inv, const char *fmt, ...) PRINTF(2, 3); /* with the forms; EX_USAGE */
/* The same for the error that err_info() tells. */
int command_fail_err(const struct invocation *inv, err e);
int command_status(err e);

/* The configuration of -c. NULL after its faults were printed: exit with EX_CONFIG. */
MUST_USE struct config *command_config(const struct invocation *inv);

int command_serve(const struct invocation *inv);
int command_check(const struct invocation *inv);
int command_account(const struct invocation *inv);
int command_alias(const struct invocation *inv);
int alias_import_file(const struct invocation *inv); /* pombo alias import */
int command_send(const struct invocation *inv);
int command_trace(const struct invocation *inv);
int command_explain(const struct invocation *inv);
int command_queue(const struct invocation *inv);
int command_quarantine(const struct invocation *inv);
int command_mailbox(const struct invocation *inv);
int command_balance(const struct invocation *inv);
int command_backup(const struct invocation *inv);
int command_restore(const struct invocation *inv);
int command_store(const struct invocation *inv);
int command_spam(const struct invocation *inv);
int command_reports(const struct invocation *inv);
int command_dns(const struct invocation *inv);
int command_security(const struct invocation *inv);
int command_reload(const struct invocation *inv);
int command_stop(const struct invocation *inv);
int command_help(const struct invocation *inv);
int command_version(const struct invocation *inv);

void help_overview(void);
void help_command(const struct command *c);

#endif
