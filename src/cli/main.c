/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/admin.h"
#include "cli/command.h"
#include "cli/queue.h"
#include "cli/sendmail.h"
#include "conf/suggest.h"
#include "role/role.h"

enum { STORE_READER = OPTION_CONFIG | OPTION_JSON };

const struct command commands[] = {
	{
		.name = "serve",
		.arguments = "",
		.options = OPTION_CONFIG | OPTION_SINGLE,
		.least = 0,
		.most = 0,
		.summary = "run the server in the foreground; log on standard error",
		.text = "--single runs all roles in one process, for debugging.\n"
			"SIGHUP reads the configuration again, SIGTERM stops.",
		.run = command_serve,
	},
	{
		.name = "check",
		.arguments = "",
		.options = OPTION_CONFIG | OPTION_DUMP | OPTION_JSON,
		.least = 0,
		.most = 0,
		.summary = "read the configuration, say what is wrong",
		.text = "--dump prints every setting with its effective value.\n"
			"Exit status 78 when anything is wrong.",
		.run = command_check,
	},
	{
		.name = "account",
		.arguments = "add ADDRESS\n"
			     "list\n"
			     "show ADDRESS\n"
			     "passwd ADDRESS\n"
			     "disable ADDRESS\n"
			     "enable ADDRESS\n"
			     "quota ADDRESS SIZE|default\n"
			     "remove ADDRESS [force]\n"
			     "app-password add ADDRESS NAME [--expires TIME]\n"
			     "app-password list ADDRESS\n"
			     "app-password remove ADDRESS NAME\n"
			     "identity add ADDRESS IDENTITY\n"
			     "identity list ADDRESS\n"
			     "identity remove ADDRESS IDENTITY",
		.options = STORE_READER | OPTION_EXPIRES,
		.least = 1,
		.most = 4,
		.summary = "who has a mailbox here",
		.text = "add and passwd ask for the password, or read one line from standard input.\n"
			"disable refuses logins, and mail for it (550 5.2.1). remove with the word force removes the "
                        "mail too.\n"
			"app-password add makes one more password, for one program or device, and shows it once.\n"
			"identity add lets it write as another address, or as all of a domain of ours (*@example.org).",
		.run = command_account,
	},
	{
		.name = "alias",
		.arguments = "add ADDRESS TARGET...\n"
			     "list [ADDRESS]\n"
			     "remove ADDRESS [TARGET...]\n"
			     "import [FILE]",
		.options = STORE_READER,
		.least = 1,
		.most = ADMIN_WORDS_MAX,
		.summary = "addresses that stand for others",
		.text = "remove without targets removes all of them.\n"
			"import reads a file as aliases(5) describes it (/etc/aliases), in place of what was read from it before; "
			"newaliases does the same.",
		.run = command_alias,
	},
	{
		.name = "send",
		.arguments = "[OPTION...] TO... < TEXT",
		.options = 0,
		.least = 0,
		.most = ADMIN_WORDS_MAX,
		.own_options = true,
		.summary = "send a message, and tell what became of it",
		.text = "",
		.run = command_send,
	},
	{
		.name = "trace",
		.arguments = "ID|MESSAGE-ID|ADDRESS",
		.options = STORE_READER,
		.least = 1,
		.most = 1,
		.summary = "the whole story of a message",
		.text = "",
		.run = command_trace,
	},
	{
		.name = "explain",
		.arguments = "ID|MESSAGE-ID",
		.options = STORE_READER,
		.least = 1,
		.most = 1,
		.summary = "why a message was accepted, refused, or taken for junk",
		.text = "Every check with its result, every rule with its points, the decision, and what would have changed it.",
		.run = command_explain,
	},
	{
		.name = "queue",
		.arguments = "list [ID|FILTER...]\n"
			     "show ID|FILTER...\n"
			     "retry [ID|FILTER...]\n"
			     "flush DOMAIN\n"
			     "hold ID|FILTER...|all [reason=TEXT]\n"
			     "release ID|FILTER...|all\n"
			     "fail ID|FILTER...|all [reason=TEXT]\n"
			     "drop ID|FILTER...|all [reason=TEXT]",
		.options = STORE_READER,
		.least = 1,
		.most = QUEUE_WORDS_MAX,
		.summary = "mail for other servers that is not there yet",
		.text = "FILTER is one or more of sender=ADDRESS recipient=ADDRESS domain=DOMAIN destination=NAME older=TIME\n"
			"state=waiting|held|failing|sending; all of them have to fit. sender=<> is the null sender.\n"
			"retry tries it now, flush all that is for a domain. hold keeps it from being sent until release.\n"
			"fail gives up and tells the sender, drop gives up and tells nobody.",
		.run = command_queue,
	},
	{
		.name = "quarantine",
		.arguments = "list [ID|FILTER...]\n"
			     "show ID\n"
			     "release ID|FILTER...|all\n"
			     "drop ID|FILTER...|all [reason=TEXT]",
		.options = STORE_READER,
		.least = 1,
		.most = QUEUE_WORDS_MAX,
		.summary = "mail that waits for somebody to look at it",
		.text = "FILTER is as for pombo queue: sender= recipient= domain= destination= older=.\n"
			"release delivers it, and its words are learned as wanted; drop throws it away, tells nobody, and its words are "
			"learned as spam.",
		.run = command_quarantine,
	},
	{
		.name = "mailbox",
		.arguments = "list ADDRESS\n"
			     "show ADDRESS MAILBOX\n"
			     "move ADDRESS MAILBOX UID... TO-MAILBOX",
		.options = STORE_READER | OPTION_CREATE,
		.least = 1,
		.most = ADMIN_WORDS_MAX - 2,
		.summary = "what is in the mailboxes of an account",
		.text = "UID is 3, 3:7, 3:* or all; * is the last one. They are those that show tells.\n"
			"What is moved to Junk is learned as spam, what is moved out of it as wanted mail, but not to and from Trash;\n"
			"a message that is moved back is learned anew, and what was learned before is taken back.",
		.run = command_mailbox,
	},
	{
		.name = "balance",
		.arguments = "",
		.options = STORE_READER | OPTION_SINCE,
		.least = 0,
		.most = 0,
		.summary = "the ledger: was anything lost?",
		.text = "accepted = mailbox + relayed + bounced + discarded + queued, in recipients; exit status 1 if "
			"not.\n"
			"--since WHEN (2026-11-21, or with a time: 2026-11-21T08:00:00Z) counts what was accepted from "
			"then on.",
		.run = command_balance,
	},
	{
		.name = "backup",
		.arguments = "FOLDER",
		.options = STORE_READER,
		.least = 1,
		.most = 1,
		.summary = "copy the store to a new folder, while it runs",
		.text = "",
		.run = command_backup,
	},
	{
		.name = "restore",
		.arguments = "FOLDER",
		.options = STORE_READER,
		.least = 1,
		.most = 1,
		.summary = "bring a backup back into an empty data folder",
		.text = "Only when no server runs.",
		.run = command_restore,
	},
	{
		.name = "store",
		.arguments = "verify\n"
			     "stats\n"
			     "compact\n"
			     "rebuild",
		.options = STORE_READER,
		.least = 1,
		.most = 1,
		.summary = "look after the store",
		.text = "verify reads everything and compares; exit status 65 when something is damaged.\n"
			"stats says how much there is. compact gives the space of deleted mail back now.\n"
			"rebuild makes a new database from the segments alone, when the old one is gone; only when no "
			"server runs.",
		.run = command_store,
	},
	{
		.name = "spam",
		.arguments = "learn [ADDRESS|all] spam|wanted [ID|MESSAGE-ID...]\n"
			     "learn [ADDRESS|all] spam|wanted [FILE|MBOX|FOLDER...]\n"
			     "test [FILE|MBOX|FOLDER...]\n"
			     "stats",
		.options = STORE_READER,
		.least = 1,
		.most = ADMIN_WORDS_MAX,
		.summary = "teach the judge of spam, and ask it",
		.text = "learn counts the words of messages as those of spam, or of wanted mail: for all, or for one account;\n"
			"messages that are here by their id, others from files, mboxes, Maildirs, standard input.\n"
			"test says what the judge finds in a message, without delivering it. stats: how much was learned.\n"
			"The rules stand in pombo-spam(7).",
		.run = command_spam,
	},
	{
		.name = "reports",
		.arguments = "[DOMAIN]",
		.options = STORE_READER,
		.least = 0,
		.most = 1,
		.summary = "what others report about us: who sends in our name and fails",
		.text = "Reports that came in by mail about DOMAIN, or all domains of ours, the newest first: of DMARC (who sent\n"
			"mail in our name, those that fail first), about TLS, and complaints.",
		.run = command_reports,
	},
	{
		.name = "dns",
		.arguments = "[DOMAIN]\nlookup NAME [TYPE]",
		.options = STORE_READER,
		.least = 0,
		.most = 3,
		.summary = "the records to publish, and which of them are there",
		.text = "Lines of a zone file for DOMAIN, or for all of the configuration; behind each what the DNS says: there,\n"
			"differs (and what it has instead), missing, unknown (it did not answer).\n"
			"lookup asks the running server's resolver. TYPE is A, AAAA, CNAME, MX (when none is given), PTR, SRV, TLSA, TXT or TYPE with a number.\n"
			"security: secure (the signatures hold), insecure (there are none), bogus (they do not hold).",
		.run = command_dns,
	},
	{
		.name = "security",
		.arguments = "",
		.options = STORE_READER,
		.least = 0,
		.most = 0,
		.summary = "what each process of the running server can do",
		.text = "root: what it sees as its root directory. opens: which files it can open. connects: to whom it can make connections.\n"
			"starts: which programs. landlock: the version of Landlock that confines it, 0 none. calls: how many system calls it may make.",
		.run = command_security,
	},
	{
		.name = "reload",
		.arguments = "",
		.options = OPTION_CONFIG,
		.least = 0,
		.most = 0,
		.summary = "make the running server read its configuration again",
		.text = "",
		.run = command_reload,
	},
	{
		.name = "stop",
		.arguments = "",
		.options = OPTION_CONFIG,
		.least = 0,
		.most = 0,
		.summary = "stop the running server",
		.text = "It finishes what is in the air for up to 10 seconds, as with SIGTERM.",
		.run = command_stop,
	},
	{
		.name = "help",
		.arguments = "[COMMAND]",
		.options = 0,
		.least = 0,
		.most = 1,
		.summary = "this overview, or more about a command",
		.text = "",
		.run = command_help,
	},
	{
		.name = "version",
		.arguments = "",
		.options = OPTION_JSON,
		.least = 0,
		.most = 0,
		.summary = "which Pombo this is",
		.text = "",
		.run = command_version,
	},
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

static int run_with_own_options(const struct command *c, int argc, char **argv)
{
	struct invocation inv = {.command = c, .config_path = COMMAND_CONFIG_DEFAULT, .words = argv, .words_n = (size_t)argc};
	int status = c->run(&inv);

	return fflush(stdout) != 0 && status == EX_OK ? EX_IOERR : status;
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
	if (argc > 0 && sendmail_is_name(argv[0]))
		return sendmail_main(argc, argv);
	if (argc < 2 || one_of(argv[1], "-h", "--help")) {
		help_overview();
		return EX_OK;
	}
	if (strcmp(argv[1], "--role") == 0)
		return role(argc, argv);
	if (strcmp(argv[1], "--forward") == 0)
		return role_forward();
	const char *name = one_of(argv[1], "-V", "--version") ? "version" : argv[1];
	const struct command *c = command_find(name);
	if (c == NULL)
		return unknown(name);
	return c->own_options ? run_with_own_options(c, argc - 2, argv + 2) : run(c, argc - 2, argv + 2);
}
