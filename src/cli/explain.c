/* SPDX-License-Identifier: ISC */
#include "cli/explain.h"

#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"

enum { LINE_OCTETS_MAX = 64 << 10, TELL_MEMORY = 8 << 20, TABLE_COLUMNS = 4, POINTS_WIDTH = 7 };

static str text_of(const struct row *row, const char *name)
{
	const struct cell *c = row_cell(row, name);

	return c == NULL ? STR("") : c->text;
}

static bool is_what(const struct row *row, const char *what)
{
	return str_equal(text_of(row, "what"), str_from(what));
}

/* --- what message --- */

/* `before`, the value, `after`; nothing when there is none. */
static void tell(struct buf *line, const struct row *row, const char *before, const char *name, const char *after)
{
	const struct cell *c = row_cell(row, name);

	if (c == NULL || c->text.n == 0)
		return;
	buf_puts(line, before);
	output_cell(line, c);
	buf_puts(line, after);
}

static void end_line(FILE *out, struct buf *line)
{
	buf_putc(line, '\n');
	fwrite(line->p, 1, line->n, out);
	buf_reset(line);
}

static void tell_message(FILE *out, const struct row *row)
{
	BUF(line, LINE_OCTETS_MAX);

	tell(&line, row, "message ", "id", "");
	tell(&line, row, "  ", "message-id", "");
	tell(&line, row, "  \"", "subject", "\"");
	end_line(out, &line);
	tell(&line, row, "  ", "state", "");
	tell(&line, row, " ", "time", "");
	buf_puts(&line, text_of(row, "from").n > 0 ? "" : ", from <>");
	tell(&line, row, ", from ", "from", "");
	tell(&line, row, ", by ", "helo", "");
	tell(&line, row, " [", "client", "]");
	tell(&line, row, " as ", "login", "");
	tell(&line, row, ", session ", "session", "");
	end_line(out, &line);
	tell(&line, row, "  reply: ", "reply", "");
	if (line.n > 0)
		end_line(out, &line);
}

static void tell_recipient(FILE *out, const struct row *row)
{
	BUF(line, LINE_OCTETS_MAX);

	tell(&line, row, "  for ", "address", "");
	tell(&line, row, ": ", "state", "");
	tell(&line, row, " ", "mailbox", "");
	tell(&line, row, ", ", "detail", "");
	end_line(out, &line);
}

/* --- tables --- */

struct table {
	struct arena *arena;
	struct row *rows;
	size_t n;
};

static void add_row(struct table *t, const struct cell *cells, size_t n)
{
	struct row *row = &t->rows[t->n];

	row->cells = arena_array(t->arena, TABLE_COLUMNS, sizeof(struct cell));
	if (row->cells == NULL)
		return;
	memcpy(row->cells, cells, n * sizeof(*cells));
	row->cells_n = n;
	t->n++;
}

static void print_table(FILE *out, const char *title, const struct table *t)
{
	struct output o = {.file = out};

	if (t->n == 0)
		return;
	fprintf(out, "\n%s\n", title);
	output_rows(&o, t->rows, t->n);
}

static void add_check(struct table *t, const struct row *row)
{
	const struct cell cells[] = {
		{.name = STR("check"), .text = text_of(row, "name")},
		{.name = STR("result"), .text = text_of(row, "result")},
		{.name = STR("evidence"), .text = text_of(row, "evidence")},
	};

	add_row(t, cells, ARRAY_LEN(cells));
}

/* Points stand below each other. */
static void add_points(struct table *t, str points, str name, str evidence)
{
	const struct cell cells[] = {
		{.name = STR(" points"), .text = arena_printf(t->arena, "%*.*s", (int)POINTS_WIDTH, STR_ARG(points))},
		{.name = STR("rule"), .text = name},
		{.name = STR("evidence"), .text = evidence},
	};

	add_row(t, cells, ARRAY_LEN(cells));
}

static void tell_decision(FILE *out, const struct row *row)
{
	BUF(line, LINE_OCTETS_MAX);

	fprintf(out, "\nThe decision\n");
	tell(&line, row, "", "name", ": ");
	tell(&line, row, "", "result", "");
	tell(&line, row, "; ", "evidence", "");
	end_line(out, &line);
}

static void tell_header(FILE *out, const struct row *row, bool *begun)
{
	BUF(line, LINE_OCTETS_MAX);

	if (!*begun)
		fprintf(out, "\nIts header\n");
	*begun = true;
	tell(&line, row, "", "text", "");
	end_line(out, &line);
}

/* --- one message after the other --- */

/* Rows up to the next message. */
static size_t count_rows(const struct row *rows, size_t n)
{
	size_t end = n > 0;

	while (end < n && !is_what(&rows[end], "message"))
		end++;
	return end;
}

/* One that failed said nothing, and its evidence is what was wrong with it. */
static str evidence_of(struct arena *a, const struct row *row)
{
	str result = text_of(row, "result"), evidence = text_of(row, "evidence");

	if (!str_equal(result, STR("failed")))
		return evidence;
	return arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(result), evidence.n > 0 ? ": " : "", STR_ARG(evidence));
}

static void fill_tables(const struct row *rows, size_t n, struct table *checks, struct table *rules)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		str kind = text_of(r, "kind");

		if (str_equal(kind, STR("check")))
			add_check(checks, r);
		else if (str_equal(kind, STR("rule")) || str_equal(kind, STR("scanner")))
			add_points(rules, text_of(r, "points"), text_of(r, "name"), evidence_of(rules->arena, r));
		else if (is_what(r, "sum") && rules->n > 0)
			add_points(rules, text_of(r, "points"), STR("sum"), STR(""));
	}
}

static err tell_one(FILE *out, const struct row *rows, size_t n)
{
	ARENA(a, TELL_MEMORY);
	struct table checks = {&a, arena_array(&a, n, sizeof(struct row)), 0};
	struct table rules = {&a, arena_array(&a, n, sizeof(struct row)), 0};
	bool header = false;

	if (checks.rows == NULL || rules.rows == NULL)
		return err_note(E_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (is_what(&rows[i], "message"))
			tell_message(out, &rows[i]);
		else if (is_what(&rows[i], "recipient"))
			tell_recipient(out, &rows[i]);
	fill_tables(rows, n, &checks, &rules);
	print_table(out, "What was checked", &checks);
	print_table(out, "What counted", &rules);
	for (size_t i = 0; i < n; i++)
		if (str_equal(text_of(&rows[i], "kind"), STR("decision")))
			tell_decision(out, &rows[i]);
	for (size_t i = 0; i < n; i++)
		if (is_what(&rows[i], "header"))
			tell_header(out, &rows[i], &header);
	return OK;
}

err explain_tell(FILE *out, const struct row *rows, size_t n)
{
	err e = OK;

	for (size_t at = 0; at < n && e == OK;) {
		size_t some = count_rows(rows + at, n - at);

		if (at > 0)
			fputc('\n', out);
		e = tell_one(out, rows + at, some);
		at += some;
	}
	return e;
}

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	struct output *o = ctx;

	if (!o->json)
		return explain_tell(o->file, rows, n);
	output_rows(o, rows, n);
	return OK;
}

int command_explain(const struct invocation *inv)
{
	struct config *config = command_config(inv);
	struct output o = {.file = stdout, .json = inv->json};
	str words[] = {STR("explain"), str_from(inv->words[0])};

	if (config == NULL)
		return EX_CONFIG;
	int status = admin_ask(inv, config, words, ARRAY_LEN(words), NULL, print_page, &o);
	config_release(config);
	return status;
}
