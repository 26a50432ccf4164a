/* SPDX-License-Identifier: ISC */
/* pombo dns lookup: what the running server's resolver says. */
#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"
#include "dns/text.h"

enum { CELLS_MAX = 16, DATA_MAX = 1 << 20 };

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

int command_dns(const struct invocation *inv)
{
	struct output out = {.file = stdout, .json = inv->json};

	if (strcmp(inv->words[0], "lookup") != 0 || inv->words_n < 2)
		return command_usage(inv, "lookup NAME is wanted");
	const str words[] = {STR("dns"), STR("lookup"), str_from(inv->words[1]),
	                     inv->words_n > 2 ? str_from(inv->words[2]) : STR("MX")};
	struct config *config = command_config(inv);
	int status =
		config == NULL ? EX_CONFIG : admin_ask(inv, config, words, ARRAY_LEN(words), NULL, print_page, &out);
	config_release(config);
	return status == EX_NOUSER ? EX_UNAVAILABLE : status; /* no server was found */
}
