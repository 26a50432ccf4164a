/* SPDX-License-Identifier: ISC */
/* pombo backup, restore and store rebuild: what a command does with the files of the store by itself. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/owner.h"
#include "store/backup.h"
#include "store/rebuild.h"

static struct cell number(const char *name, uint64_t v)
{
	return (struct cell){.name = str_from(name), .number = v, .is_number = 1};
}

static int print(const struct invocation *inv, struct cell *cells, size_t n)
{
	struct output out = {.file = stdout, .json = inv->json};

	output_fields(&out, &(struct row){cells, n});
	return EX_OK;
}

static int print_files(const struct invocation *inv, const struct backup_result *r, bool restored)
{
	struct cell cells[] = {number("segments", r->segments), number("octets", r->octets), number("held", r->held)};

	return print(inv, cells, restored ? 3 : 2);
}

/* What is not found here is a file. */
static int fail(const struct invocation *inv, err e)
{
	int status = command_fail_err(inv, e);

	return e == E_NOT_FOUND ? EX_NOINPUT : status;
}

/* --- backup --- */

static int backup(const struct invocation *inv, const struct config *config, const char *data)
{
	struct backup_result result;
	err e = owner_become(config, inv->words[0]);

	if (e == OK)
		e = backup_run(data, inv->words[0], &result);
	return e == OK ? print_files(inv, &result, false) : fail(inv, e);
}

/* --- restore --- */

static int restore(const struct invocation *inv, const struct config *config, const char *data)
{
	struct backup_result result;
	err e = owner_is_alone(config);

	if (e == OK)
		e = owner_become_in_data(config);
	if (e == OK)
		e = restore_run(inv->words[0], data, &result);
	return e == OK ? print_files(inv, &result, true) : fail(inv, e);
}

/* --- rebuild --- */

static int rebuild(const struct invocation *inv, const struct config *config, const char *data)
{
	struct rebuild_result r;
	err e = owner_is_alone(config);

	if (e == OK)
		e = owner_become(config, NULL);
	if (e == OK)
		e = rebuild_run(data, &r);
	if (e != OK)
		return fail(inv, e);
	struct cell cells[] = {number("segments", r.segments), number("messages", r.messages),
	                       number("items", r.items),       number("accounts", r.accounts),
	                       number("held", r.held),         number("damaged-octets", r.damaged)};
	return print(inv, cells, ARRAY_LEN(cells));
}

/* --- all three --- */

static int with_data(const struct invocation *inv,
                     int (*fn)(const struct invocation *inv, const struct config *config, const char *data))
{
	struct config *config = command_config(inv);
	ARENA(arena, 8192);

	if (config == NULL)
		return EX_CONFIG;
	const char *data = arena_z(&arena, config->data);
	int status = data == NULL ? command_fail(inv, EX_CONFIG, "the data folder's name is too long")
	                          : fn(inv, config, data);
	config_release(config);
	return status;
}

int command_backup(const struct invocation *inv)
{
	return with_data(inv, backup);
}

int command_restore(const struct invocation *inv)
{
	return with_data(inv, restore);
}

int files_rebuild(const struct invocation *inv)
{
	return with_data(inv, rebuild);
}
