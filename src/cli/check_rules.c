/* SPDX-License-Identifier: ISC */
#include "cli/check_rules.h"

#include <stdio.h>

#include "cli/output.h"
#include "conf/suggest.h"
#include "spam/rules.h"

static const char *nearest(str name)
{
	struct suggestion s = suggest_begin(name);

	for (size_t i = 0; i < RULE_COUNT; i++)
		suggest_offer(&s, rules[i].name.p);
	return s.best;
}

static void say(const struct invocation *inv, const struct config *c, str name)
{
	const char *best = nearest(name);
	BUF(text, 512);

	buf_printf(&text, "there is no rule \"" STR_FMT "\"", STR_ARG(name));
	if (best != NULL)
		buf_printf(&text, " (did you mean \"%s\"?)", best);
	if (inv->json) {
		struct output out = {.file = stdout, .json = true};
		struct cell cells[] = {{.name = STR("file"), .text = c->file},
		                       {.name = STR("fault"), .text = buf_str(&text)}};

		output_rows(&out, &(struct row){cells, ARRAY_LEN(cells)}, 1);
	} else {
		fprintf(stderr, STR_FMT ": " STR_FMT "\n", STR_ARG(c->file), STR_ARG(buf_str(&text)));
	}
}

int check_rules(const struct invocation *inv, const struct config *c)
{
	int status = EX_OK;

	for (size_t i = 0; i < c->rules_n; i++)
		if (!rules_known(c->rules[i].name)) {
			say(inv, c, c->rules[i].name);
			status = EX_CONFIG;
		}
	return status;
}
