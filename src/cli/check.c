/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "base/encode.h"
#include "cli/check_rules.h"
#include "cli/check_tls.h"
#include "cli/command.h"
#include "cli/output.h"
#include "conf/schema.h"

static struct cell text_cell(const char *name, str text)
{
	return (struct cell){.name = str_from(name), .text = text};
}

static struct cell number_cell(const char *name, str digits)
{
	struct cell c = {.name = str_from(name), .is_number = 1};

	return str_to_u64(digits, UINT32_MAX, &c.number) ? c : text_cell(name, digits);
}

/* "file:line:column: what" */
static void print_fault(struct output *out, str line)
{
	size_t blank = 0;
	str place, column, number, file;

	while (blank < line.n && !str_starts(str_drop(line, blank), STR(": ")))
		blank++;
	place = str_take(line, blank);
	column = str_drop(place, str_find_last(place, ':') + 1);
	place = str_take(place, str_find_last(place, ':'));
	number = str_drop(place, str_find_last(place, ':') + 1);
	file = str_take(place, str_find_last(place, ':'));
	struct cell cells[] = {text_cell("file", file), number_cell("line", number), number_cell("column", column),
	                       text_cell("fault", str_drop(line, blank + 2))};
	output_rows(out, &(struct row){cells, ARRAY_LEN(cells)}, 1);
}

/* "limit hops 50": the setting's name is all that stands before its value. */
static void print_setting(struct output *out, str line)
{
	str value = line, word = str_word(&value);
	const struct setting *s = schema_find(word);
	str name = word;

	if (s != NULL && s->option != NULL) {
		word = str_word(&value);
		name = str_take(line, line.n - value.n);
	}
	struct cell cells[] = {text_cell("setting", name), text_cell("value", str_trim(value))};
	output_rows(out, &(struct row){cells, ARRAY_LEN(cells)}, 1);
}

static void each_line(struct output *out, str text, void (*print)(struct output *out, str line))
{
	str line;

	while (text.n > 0) {
		(void)str_cut(text, '\n', &line, &text);
		print(out, line);
	}
}

static int print_faults(const struct invocation *inv, struct config_faults *faults)
{
	struct output out = {.file = stdout, .json = true};

	if (inv->json)
		each_line(&out, buf_str(&faults->text), print_fault);
	else
		fwrite(faults->text.p, 1, faults->text.n, stderr);
	return EX_CONFIG;
}

static int print_config(const struct invocation *inv, const struct config *c)
{
	struct output out = {.file = stdout, .json = true};
	BUF(text, 64 << 20);

	if (!inv->dump) {
		int tls = check_tls(inv, c), rules = check_rules(inv, c), status = tls != EX_OK ? tls : rules;

		if (!inv->json && status == EX_OK)
			printf("%s: no fault\n", inv->config_path);
		return status;
	}
	config_dump(c, &text);
	if (text.full)
		return command_fail(inv, EX_OSERR, "out of memory");
	if (inv->json)
		each_line(&out, buf_str(&text), print_setting);
	else
		fwrite(text.p, 1, text.n, stdout);
	return EX_OK;
}

int command_check(const struct invocation *inv)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};
	struct config *c = config_load(inv->config_path, &faults);
	int status = c == NULL ? print_faults(inv, &faults) : print_config(inv, c);

	buf_free(&faults.text);
	config_release(c);
	return status;
}
