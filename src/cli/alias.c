/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "cli/admin.h"
#include "cli/command.h"

int command_alias(const struct invocation *inv)
{
	const char *verb = inv->words[0];

	if (strcmp(verb, "import") == 0)
		return inv->words_n > 2 ? command_usage(inv, "import takes one file") : alias_import_file(inv);
	if (strcmp(verb, "add") == 0 && inv->words_n < 3)
		return command_usage(inv, "add takes an address and its targets");
	if (strcmp(verb, "list") == 0 && inv->words_n > 2)
		return command_usage(inv, "list takes one address at most");
	if (strcmp(verb, "remove") == 0 && inv->words_n < 2)
		return command_usage(inv, "remove takes an address");
	if (strcmp(verb, "add") != 0 && strcmp(verb, "list") != 0 && strcmp(verb, "remove") != 0)
		return command_usage(inv, "there is no \"%s\"", verb);
	return admin_command(inv);
}
