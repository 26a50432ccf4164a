/* SPDX-License-Identifier: ISC */
/* pombo queue: the store answers; people get it in columns that they can read at a glance. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/queue.h"

enum { PAGE_MEMORY = 16 << 20 };

struct printing {
	struct output out;
	size_t rows;
	int64_t now;
};

/* --- a table --- */

str queue_period(struct arena *a, int64_t usec)
{
	static const struct {
		const char *unit;
		long long seconds;
	} units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}};
	long long s = usec < 0 ? 0 : usec / USEC_PER_SEC;

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (s >= units[i].seconds)
			return arena_printf(a, "%lld%s", s / units[i].seconds, units[i].unit);
	return arena_printf(a, "%llds", s);
}

static str text_of(const struct row *row, const char *name)
{
	const struct cell *c = row_cell(row, name);

	return c == NULL ? STR("") : c->text;
}

static str age_of(struct arena *a, const struct row *row, int64_t now)
{
	int64_t t;

	return date_parse_rfc3339(text_of(row, "received"), &t) ? queue_period(a, now - t) : STR("");
}

/* When it is tried again, or why it is not. */
static str next_of(struct arena *a, const struct row *row, int64_t now)
{
	int64_t t;

	if (!date_parse_rfc3339(text_of(row, "due"), &t))
		return text_of(row, "state");
	return t <= now ? STR("now") : arena_printf(a, "in " STR_FMT, STR_ARG(queue_period(a, t - now)));
}

void queue_columns(struct arena *a, const struct row *from, int64_t now, struct cell *cells, struct row *to)
{
	const str sender = text_of(from, "sender");
	const struct cell columns[QUEUE_COLUMNS] = {
		{.name = STR("id"), .text = text_of(from, "id")},
		{.name = STR("age"), .text = age_of(a, from, now)},
		{.name = STR("sender"), .text = sender.n > 0 ? sender : STR("<>")},
		{.name = STR("recipient"), .text = text_of(from, "recipient")},
		{.name = STR("destination"), .text = text_of(from, "destination")},
		{.name = STR("next"), .text = next_of(a, from, now)},
		{.name = STR("reply"), .text = text_of(from, "reply")},
	};

	memcpy(cells, columns, sizeof(columns));
	*to = (struct row){cells, QUEUE_COLUMNS};
}

static err print_list(void *ctx, const struct row *rows, size_t n)
{
	struct printing *p = ctx;
	ARENA(a, PAGE_MEMORY);
	struct row *table = arena_array(&a, n, sizeof(*table));
	struct cell *cells = arena_array(&a, n * QUEUE_COLUMNS, sizeof(*cells));

	p->rows += n;
	if (p->out.json) {
		output_rows(&p->out, rows, n);
		return OK;
	}
	if (table == NULL || cells == NULL)
		return err_note(E_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++)
		queue_columns(&a, &rows[i], p->now, &cells[i * QUEUE_COLUMNS], &table[i]);
	output_rows(&p->out, table, n);
	return OK;
}

/* --- one thing after the other --- */

static err print_fields(void *ctx, const struct row *rows, size_t n)
{
	struct printing *p = ctx;

	for (size_t i = 0; i < n; i++) {
		if (p->rows++ > 0 && !p->out.json)
			fputc('\n', p->out.file);
		output_fields(&p->out, &rows[i]);
	}
	return OK;
}

/* --- the command --- */

static int ask(const struct invocation *inv, struct config *config)
{
	struct timespec t;
	bool list = strcmp(inv->words[0], "list") == 0;
	struct printing p = {.out = {.file = stdout, .json = inv->json}};
	str words[QUEUE_WORDS_MAX + 1] = {STR("queue")};

	clock_gettime(CLOCK_REALTIME, &t);
	p.now = t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
	for (size_t i = 0; i < inv->words_n; i++)
		words[i + 1] = str_from(inv->words[i]);
	int status = admin_ask(inv, config, words, inv->words_n + 1, NULL, list ? print_list : print_fields, &p);
	if (status == EX_OK && list && p.rows == 0 && !inv->json)
		printf("%s\n", inv->words_n > 1 ? "nothing in the queue is like that" : "the queue is empty");
	return status;
}

static bool is_verb(const char *word)
{
	static const char *const verbs[] = {"list", "show", "retry", "flush", "hold", "release", "fail", "drop"};

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(word, verbs[i]) == 0)
			return true;
	return false;
}

int command_queue(const struct invocation *inv)
{
	if (!is_verb(inv->words[0]))
		return command_usage(inv, "there is no \"%s\"", inv->words[0]);
	struct config *config = command_config(inv);
	int status = config == NULL ? EX_CONFIG : ask(inv, config);
	config_release(config);
	return status;
}
