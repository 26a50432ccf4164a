/* SPDX-License-Identifier: ISC */
/* pombo quarantine: the store answers; one message is shown as `pombo explain` does, with its header. */
#include <string.h>

#include "cli/admin.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/output.h"
#include "cli/queue.h"

struct printing {
	struct output out;
	bool show;
	size_t rows;
};

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	struct printing *p = ctx;

	p->rows += n;
	if (p->show && !p->out.json)
		return explain_tell(p->out.file, rows, n);
	output_rows(&p->out, rows, n);
	return OK;
}

static int ask(const struct invocation *inv, struct config *config)
{
	bool list = strcmp(inv->words[0], "list") == 0;
	struct printing p = {.out = {.file = stdout, .json = inv->json}, .show = strcmp(inv->words[0], "show") == 0};
	str words[QUEUE_WORDS_MAX + 1] = {STR("quarantine")};

	for (size_t i = 0; i < inv->words_n; i++)
		words[i + 1] = str_from(inv->words[i]);
	int status = admin_ask(inv, config, words, inv->words_n + 1, NULL, print_page, &p);
	if (status == EX_OK && list && p.rows == 0 && !inv->json)
		printf("%s\n", inv->words_n > 1 ? "nothing in quarantine is like that" : "nothing is in quarantine");
	return status;
}

static bool is_verb(const char *word)
{
	static const char *const verbs[] = {"list", "show", "release", "drop"};

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(word, verbs[i]) == 0)
			return true;
	return false;
}

int command_quarantine(const struct invocation *inv)
{
	if (!is_verb(inv->words[0]))
		return command_usage(inv, "there is no \"%s\"", inv->words[0]);
	struct config *config = command_config(inv);
	int status = config == NULL ? EX_CONFIG : ask(inv, config);
	config_release(config);
	return status;
}
