/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/output.h"

/* A row is a fault. */
struct verification {
	struct output out;
	size_t faults;
};

static err print_faults(void *ctx, const struct row *rows, size_t n)
{
	struct verification *v = ctx;

	output_rows(&v->out, rows, n);
	v->faults += n;
	return OK;
}

static err print_numbers(void *ctx, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		output_fields(ctx, &rows[i]);
	return OK;
}

static int verify(const struct invocation *inv, struct config *config)
{
	struct verification v = {.out = {.file = stdout, .json = inv->json}};
	str words[] = {STR("store"), STR("verify")};
	int status = admin_ask(inv, config, words, ARRAY_LEN(words), NULL, print_faults, &v);

	if (status != EX_OK)
		return status;
	if (v.faults > 0)
		return command_fail(inv, EX_DATAERR, "%zu faults", v.faults);
	if (!inv->json)
		printf("no fault\n");
	return EX_OK;
}

static int numbers(const struct invocation *inv, struct config *config)
{
	struct output out = {.file = stdout, .json = inv->json};
	str words[] = {STR("store"), str_from(inv->words[0])};

	return admin_ask(inv, config, words, ARRAY_LEN(words), NULL, print_numbers, &out);
}

static int with_config(const struct invocation *inv, int (*fn)(const struct invocation *inv, struct config *config))
{
	struct config *config = command_config(inv);
	int status = config == NULL ? EX_CONFIG : fn(inv, config);

	config_release(config);
	return status;
}

int command_store(const struct invocation *inv)
{
	const char *verb = inv->words[0];

	if (strcmp(verb, "verify") == 0)
		return with_config(inv, verify);
	if (strcmp(verb, "compact") == 0 || strcmp(verb, "stats") == 0)
		return with_config(inv, numbers);
	if (strcmp(verb, "rebuild") == 0)
		return files_rebuild(inv);
	return command_usage(inv, "there is no \"%s\"", verb);
}
