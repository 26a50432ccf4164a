/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "conf/suggest.h"

struct option {
	const char *name, *letter;
	const char *value; /* what it takes; NULL: nothing */
	unsigned bit;
};

static const struct option options[] = {
	{"--config", "-c", "FILE", OPTION_CONFIG}, {"--json", NULL, NULL, OPTION_JSON},
	{"--single", NULL, NULL, OPTION_SINGLE},   {"--dump", NULL, NULL, OPTION_DUMP},
	{"--since", NULL, "WHEN", OPTION_SINCE},   {"--expires", NULL, "TIME", OPTION_EXPIRES},
	{"--create", NULL, NULL, OPTION_CREATE},   {"--help", "-h", NULL, 0},
};

/* "--since=WHEN", "-cFILE": the value that hangs on the option's name; NULL when `arg` is another option. "" none hangs there. */
static const char *hanging_value(const struct option *o, const char *arg)
{
	str s = str_from(arg), name = str_from(o->name), letter = str_from(o->letter);

	if (str_equal(s, name) || (letter.n > 0 && str_equal(s, letter)))
		return "";
	if (o->value == NULL)
		return NULL;
	if (str_starts(s, name) && str_starts(str_drop(s, name.n), STR("=")) && s.n > name.n + 1)
		return str_drop(s, name.n + 1).p;
	return letter.n > 0 && str_starts(s, letter) ? str_drop(s, letter.n).p : NULL;
}

static const struct option *option_find(const char *arg, const char **value)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		*value = hanging_value(&options[i], arg);
		if (*value != NULL)
			return &options[i];
	}
	return NULL;
}

static bool option_unknown(const struct invocation *inv, const char *arg)
{
	struct suggestion s = suggest_begin(str_from(arg));

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].bit == 0 || (inv->command->options & options[i].bit) != 0)
			suggest_offer(&s, options[i].name);
	if (s.best != NULL)
		command_usage(inv, "there is no option \"%s\" (did you mean \"%s\"?)", arg, s.best);
	else
		command_usage(inv, "there is no option \"%s\"", arg);
	return false;
}

static void option_set(struct invocation *inv, const struct option *o, const char *value, bool *help)
{
	switch (o->bit) {
	case OPTION_CONFIG:
		inv->config_path = value;
		break;
	case OPTION_JSON:
		inv->json = true;
		break;
	case OPTION_SINGLE:
		inv->single = true;
		break;
	case OPTION_DUMP:
		inv->dump = true;
		break;
	case OPTION_CREATE:
		inv->create = true;
		break;
	case OPTION_SINCE:
		inv->since = value;
		break;
	case OPTION_EXPIRES:
		inv->expires = value;
		break;
	default:
		*help = true;
	}
}

bool invocation_parse(struct invocation *inv, int argc, char **argv, bool *help)
{
	bool words_only = false;

	inv->words = calloc((size_t)argc + 1, sizeof(char *));
	if (inv->words == NULL)
		return command_fail(inv, EX_OSERR, "out of memory"), false;
	for (int i = 0; i < argc; i++) {
		const char *value = NULL;
		if (words_only || argv[i][0] != '-' || argv[i][1] == '\0') {
			inv->words[inv->words_n++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			words_only = true;
			continue;
		}
		const struct option *o = option_find(argv[i], &value);
		if (o == NULL || (o->bit != 0 && (inv->command->options & o->bit) == 0))
			return option_unknown(inv, argv[i]);
		if (o->value != NULL && value[0] == '\0') {
			if (i + 1 == argc)
				return command_usage(inv, "%s needs a value: %s", argv[i], o->value), false;
			value = argv[++i];
		}
		option_set(inv, o, value, help);
	}
	return true;
}
