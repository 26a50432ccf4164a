/* SPDX-License-Identifier: ISC */
/* pombo reports: what others report about domains of ours. The store keeps a line of JSON of each, which the filter wrote. */
#include "cli/reports.h"

#include "base/encode.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "rt/json.h"

enum { LINES_MAX = 4 << 20, REPORT_OCTETS_MAX = 1 << 20, TEXT_MAX = 400 };

struct telling {
	struct buf *out;
	const struct row *row;
	const json_t *report;
	struct arena arena;
};

/* --- texts --- */

static str cell(const struct row *row, const char *name)
{
	const struct cell *c = row_cell(row, name);

	return c == NULL ? STR("") : c->text;
}

static str text(struct telling *t, const json_t *object, const char *name)
{
	return json_text(object, name, TEXT_MAX, &t->arena);
}

/* `before`, the value, `after`; nothing when there is none. */
static void put(struct buf *out, const char *before, str value, const char *after)
{
	if (value.n == 0)
		return;
	buf_puts(out, before);
	escape_text(out, value);
	buf_puts(out, after);
}

static void put_count(struct buf *out, uint64_t n, const char *what)
{
	buf_u64(out, n);
	buf_printf(out, " %s%s", what, n == 1 ? "" : "s");
}

/* --- each kind --- */

static void tell_signatures(struct telling *t, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		put(t->out, i == 0 ? " (signed " : ", ", json_clean(json_array_get(list, i), TEXT_MAX, &t->arena),
		    i + 1 == json_array_size(list) ? ")" : "");
}

static void tell_source(struct telling *t, const json_t *source)
{
	buf_puts(t->out, "  ");
	put(t->out, "", text(t, source, "source"), ": ");
	put_count(t->out, json_count(source, "count"), "message");
	put(t->out, " from ", text(t, source, "from"), "");
	put(t->out, ", SPF ", text(t, source, "spf"), "");
	put(t->out, " (", text(t, source, "envelope-from"), ")");
	put(t->out, ", DKIM ", text(t, source, "dkim"), "");
	tell_signatures(t, json_object_get(source, "signed"));
	put(t->out, ": ", text(t, source, "disposition"), "");
	buf_putc(t->out, '\n');
}

static void tell_dmarc(struct telling *t)
{
	const json_t *sources = json_object_get(t->report, "sources");

	put_count(t->out, json_count(t->report, "messages"), "message");
	buf_puts(t->out, ", ");
	buf_u64(t->out, json_count(t->report, "passed"));
	buf_puts(t->out, " passed\n");
	for (size_t i = 0; i < json_array_size(sources); i++)
		tell_source(t, json_array_get(sources, i));
}

static void tell_failure(struct telling *t, const json_t *failure)
{
	put(t->out, "  ", text(t, failure, "result"), ": ");
	put_count(t->out, json_count(failure, "count"), "session");
	put(t->out, " with ", text(t, failure, "host"), "");
	put(t->out, " [", text(t, failure, "address"), "]");
	put(t->out, " from ", text(t, failure, "source"), "");
	put(t->out, ": ", text(t, failure, "reason"), "");
	buf_putc(t->out, '\n');
}

static void tell_tls(struct telling *t)
{
	const json_t *failures = json_object_get(t->report, "failures");

	put_count(t->out, json_count(t->report, "sessions"), "TLS session");
	buf_puts(t->out, ", ");
	buf_u64(t->out, json_count(t->report, "failed"));
	buf_puts(t->out, " failed\n");
	for (size_t i = 0; i < json_array_size(failures); i++)
		tell_failure(t, json_array_get(failures, i));
}

static void tell_arf(struct telling *t)
{
	put(t->out, "complaint: ", text(t, t->report, "type"), "");
	put(t->out, ", a message from ", text(t, t->report, "from"), "");
	put(t->out, " to ", text(t, t->report, "envelope-to"), "");
	put(t->out, " \"", text(t, t->report, "subject"), "\"");
	put(t->out, " ", text(t, t->report, "message-id"), "");
	put(t->out, ", sent by [", text(t, t->report, "source"), "]");
	put(t->out, ", arrived ", text(t, t->report, "arrived"), "");
	buf_putc(t->out, '\n');
}

/* --- a report --- */

static void tell_heading(struct telling *t)
{
	str kind = cell(t->row, "kind"), from = cell(t->row, "from"), until = cell(t->row, "until");
	bool same = str_equal(str_take(from, 10), str_take(until, 10));

	escape_text(t->out, cell(t->row, "domain"));
	put(t->out, ": ", kind, "");
	put(t->out, " report of ", cell(t->row, "organization"), "");
	put(t->out, ", ", str_take(from, 10), "");
	put(t->out, " to ", same ? STR_NONE : str_take(until, 10), "");
	buf_puts(t->out,
	         str_equal(cell(t->row, "verified"), STR("yes")) ? ", authentic" : ", not known to be authentic");
	put(t->out, " (message ", cell(t->row, "message"), ")\n  ");
}

static void tell_report(struct telling *t)
{
	str kind = cell(t->row, "kind");

	tell_heading(t);
	if (str_equal(kind, STR("dmarc")))
		tell_dmarc(t);
	else if (str_equal(kind, STR("tls")))
		tell_tls(t);
	else
		tell_arf(t);
}

static void tell_row(struct buf *out, const struct row *row)
{
	static const struct json_limits limits = {REPORT_OCTETS_MAX, 8, 200000};
	struct telling t = {.out = out, .row = row, .arena = ARENA_INIT(REPORT_OCTETS_MAX)};
	json_t *report = NULL;

	if (json_read(cell(row, "text"), &limits, "a report", &report) == OK) {
		t.report = report;
		tell_report(&t);
		json_decref(report);
	}
	arena_free(&t.arena);
}

void reports_tell(FILE *out, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		BUF(lines, LINES_MAX);
		tell_row(&lines, &rows[i]);
		if (lines.n > 0)
			fwrite(lines.p, 1, lines.n, out);
	}
}

void reports_tell_json(FILE *out, const struct row *rows, size_t n)
{
	static const char *const names[] = {"kind",    "domain", "organization", "id",
	                                    "message", "from",   "until",        "verified"};

	for (size_t i = 0; i < n; i++) {
		BUF(line, LINES_MAX);
		for (size_t j = 0; j < ARRAY_LEN(names); j++) {
			buf_printf(&line, "%s\"%s\":", j == 0 ? "{" : ",", names[j]);
			json_quote(&line, cell(&rows[i], names[j]));
		}
		buf_puts(&line, ",\"report\":");
		buf_put(&line, cell(&rows[i], "text"));
		buf_puts(&line, "}\n");
		fwrite(line.p, 1, line.n, out);
	}
}

/* --- the command --- */

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	const struct invocation *inv = ctx;

	if (inv->json)
		reports_tell_json(stdout, rows, n);
	else
		reports_tell(stdout, rows, n);
	return OK;
}

int command_reports(const struct invocation *inv)
{
	struct config *config = command_config(inv);
	str words[] = {STR("reports"), inv->words_n > 0 ? str_from(inv->words[0]) : STR_NONE};
	struct invocation own = *inv;

	if (config == NULL)
		return EX_CONFIG;
	int status = admin_ask(inv, config, words, 1 + inv->words_n, NULL, print_page, &own);
	config_release(config);
	return status;
}
