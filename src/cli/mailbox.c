/* SPDX-License-Identifier: ISC */
/* pombo mailbox: the store answers. */
#include <stdlib.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"

struct printing {
	struct output out;
	size_t rows, learned;
};

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	struct printing *p = ctx;

	p->rows += n;
	for (size_t i = 0; i < n; i++) {
		const struct cell *learned = row_cell(&rows[i], "learned");

		p->learned += learned != NULL && learned->text.n > 0;
	}
	output_rows(&p->out, rows, n);
	return OK;
}

static int ask(const struct invocation *inv, const str *words, size_t n, struct printing *p)
{
	struct config *config = command_config(inv);
	int status = config == NULL ? EX_CONFIG : admin_ask(inv, config, words, n, NULL, print_page, p);

	config_release(config);
	return status;
}

static int list_or_show(const struct invocation *inv, size_t words_n)
{
	struct printing p = {.out = {.file = stdout, .json = inv->json}};
	str words[4] = {STR("mailbox")};

	if (inv->words_n != words_n)
		return command_usage(inv, "whose, and which mailbox?");
	for (size_t i = 0; i < words_n; i++)
		words[i + 1] = str_from(inv->words[i]);
	int status = ask(inv, words, words_n + 1, &p);
	if (status == EX_OK && p.rows == 0 && !inv->json)
		printf("the mailbox is empty\n");
	return status;
}

/* The target, which is typed last, is asked for in front of the uids. */
static int move(const struct invocation *inv)
{
	struct printing p = {.out = {.file = stdout, .json = inv->json}};
	const size_t n = inv->words_n;

	if (n < 5)
		return command_usage(inv, "move which messages of whose mailbox to which?");
	str *words = calloc(n + 2, sizeof(*words));
	if (words == NULL)
		return command_fail(inv, EX_OSERR, "out of memory");
	words[0] = STR("mailbox");
	for (size_t i = 0; i < 3; i++)
		words[i + 1] = str_from(inv->words[i]);
	words[4] = str_from(inv->words[n - 1]);
	words[5] = inv->create ? STR("create") : STR("there");
	for (size_t i = 3; i < n - 1; i++)
		words[i + 3] = str_from(inv->words[i]);
	int status = ask(inv, words, n + 2, &p);
	if (status == EX_OK && !inv->json)
		printf("%zu moved, %zu learned\n", p.rows, p.learned);
	free(words);
	return status;
}

int command_mailbox(const struct invocation *inv)
{
	const char *verb = inv->words[0];

	if (inv->create && strcmp(verb, "move") != 0)
		return command_usage(inv, "--create is for move");
	if (strcmp(verb, "list") == 0)
		return list_or_show(inv, 2);
	if (strcmp(verb, "show") == 0)
		return list_or_show(inv, 3);
	if (strcmp(verb, "move") == 0)
		return move(inv);
	return command_usage(inv, "there is no \"%s\"", verb);
}
