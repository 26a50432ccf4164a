/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "base/date.h"
#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"

enum { STATUS_LOST = 1 };

struct ledger {
	struct output out;
	uint64_t lost;
};

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	struct ledger *l = ctx;

	for (size_t i = 0; i < n; i++) {
		const struct cell *lost = row_cell(&rows[i], "lost");
		output_fields(&l->out, &rows[i]);
		l->lost += lost == NULL ? 1 : lost->number;
	}
	return OK;
}

static int ask(const struct invocation *inv, int64_t since)
{
	struct ledger l = {.out = {.file = stdout, .json = inv->json}};
	struct config *config = command_config(inv);
	char number[24];

	if (config == NULL)
		return EX_CONFIG;
	snprintf(number, sizeof(number), "%lld", (long long)since);
	str words[] = {STR("balance"), STR("since"), str_from(number)};
	int status = admin_ask(inv, config, words, since == 0 ? 1 : ARRAY_LEN(words), NULL, print_page, &l);
	config_release(config);
	return status == EX_OK && l.lost > 0 ? STATUS_LOST : status;
}

int command_balance(const struct invocation *inv)
{
	int64_t since = 0;

	if (inv->since != NULL && (!date_parse_rfc3339(str_from(inv->since), &since) || since < 0))
		return command_usage(inv,
		                     "\"%s\" is not a date such as 2026-11-21 or a time such as 2026-11-21T08:00:00Z",
		                     inv->since);
	return ask(inv, since);
}
