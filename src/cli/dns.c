/* SPDX-License-Identifier: ISC */
/* pombo dns: what to publish; pombo dns lookup: what the running server's resolver says. */
#include "cli/admin.h"
#include "cli/command.h"
#include "cli/dns_zone.h"
#include "cli/output.h"
#include "conf/domain_name.h"
#include "dns/text.h"

enum { CELLS_MAX = 16, DATA_MAX = 1 << 20, NAME_MEMORY = 64 << 10 };

/* The data comes as it was on the wire: who reads it here owns nothing. */
static err print_row(struct output *out, const struct row *row)
{
	struct cell cells[CELLS_MAX];
	struct row printed = {.cells = cells};
	const struct cell *type = row_cell(row, "type"), *data = row_cell(row, "data");
	BUF(text, DATA_MAX);
	uint64_t number = 0;

	if (type != NULL && data != NULL && data->text.n > 0 && dns_type_find(type->text, &number))
		dns_data_put(&text, number, data->text);
	for (size_t i = 0; i < row->cells_n && printed.cells_n < CELLS_MAX; i++) {
		struct cell *c = &cells[printed.cells_n++];

		*c = row->cells[i];
		if (&row->cells[i] == data)
			c->text = buf_str(&text);
	}
	output_rows(out, &printed, 1);
	return OK;
}

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	err e = OK;

	for (size_t i = 0; i < n && e == OK; i++)
		e = print_row(ctx, &rows[i]);
	return e;
}

static int lookup(const struct invocation *inv, struct config *config)
{
	struct output out = {.file = stdout, .json = inv->json};
	const str words[] = {STR("dns"), STR("lookup"), str_from(inv->words[1]),
	                     inv->words_n > 2 ? str_from(inv->words[2]) : STR("MX")};
	int status = admin_ask(inv, config, words, ARRAY_LEN(words), NULL, print_page, &out);

	return status == EX_NOUSER ? EX_UNAVAILABLE : status; /* no server was found */
}

/* In any script, as the configuration has it. NULL: none was named. */
static const char *domain_of(const struct invocation *inv, struct arena *a)
{
	str domain;

	if (inv->words_n == 0)
		return NULL;
	return domain_name_fold(str_from(inv->words[0]), a, &domain) == OK ? arena_z(a, domain) : inv->words[0];
}

int command_dns(const struct invocation *inv)
{
	ARENA(a, NAME_MEMORY);
	bool look = inv->words_n > 0 && strcmp(inv->words[0], "lookup") == 0;

	if (look ? inv->words_n < 2 : inv->words_n > 1)
		return command_usage(inv, "[DOMAIN] or lookup NAME [TYPE] is wanted");
	struct config *config = command_config(inv);
	if (config == NULL)
		return EX_CONFIG;
	int status = look ? lookup(inv, config) : dns_zone_print(inv, config, domain_of(inv, &a));
	config_release(config);
	return status;
}
