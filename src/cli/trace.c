/* SPDX-License-Identifier: ISC */
/* pombo trace: the events of messages, told in order. */
#include "base/encode.h"
#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/trace.h"

enum { LINE_OCTETS_MAX = 1 << 20 };

struct story {
	struct output out;
	size_t rows;
};

/* Does it say anything? */
static bool is_filled(const struct cell *c)
{
	return c != NULL && (c->is_number != 0 || c->text.n > 0);
}

/* `before`, the value, `after`; nothing when there is none. */
static void tell(struct buf *line, const struct row *row, const char *before, const char *name, const char *after)
{
	const struct cell *c = row_cell(row, name);

	if (!is_filled(c))
		return;
	buf_puts(line, before);
	output_cell(line, c);
	buf_puts(line, after);
}

static void tell_heading(struct buf *line, const struct row *row)
{
	tell(line, row, "message ", "id", "");
	tell(line, row, "  ", "message-id", "");
	tell(line, row, "  \"", "subject", "\"");
	buf_putc(line, '\n');
}

static void tell_received(struct buf *line, const struct row *row)
{
	buf_puts(line, is_filled(row_cell(row, "from")) ? "" : "from <>, ");
	tell(line, row, "from ", "from", ", ");
	tell(line, row, "", "size", " octets");
	tell(line, row, ", by ", "protocol", "");
	tell(line, row, " from ", "helo", "");
	tell(line, row, " [", "client", "]");
	tell(line, row, " as ", "login", "");
	tell(line, row, ", session ", "session", "");
	tell(line, row, ", ENVID ", "envid", "");
}

static void tell_refused(struct buf *line, const struct row *row)
{
	buf_puts(line, is_filled(row_cell(row, "from")) ? "" : "from <>, ");
	tell(line, row, "from ", "from", ", ");
	tell(line, row, "for ", "to", "");
	tell(line, row, ", by ", "helo", "");
	tell(line, row, " [", "client", "]");
	tell(line, row, ", session ", "session", "");
	tell(line, row, ": ", "reply", "");
}

static void tell_accepted(struct buf *line, const struct row *row)
{
	tell(line, row, "for ", "to", "");
	tell(line, row, ", asked for as ", "original", "");
	tell(line, row, ", ORCPT ", "orcpt", "");
}

static void tell_mailbox(struct buf *line, const struct row *row)
{
	tell(line, row, "", "account", "");
	tell(line, row, " ", "mailbox", "");
	tell(line, row, " uid ", "uid", "");
	tell(line, row, ", ", "keywords", "");
	tell(line, row, ", ", "detail", "");
	tell(line, row, ", ", "state", "");
}

static void tell_queued(struct buf *line, const struct row *row)
{
	tell(line, row, "", "state", "");
	tell(line, row, " for ", "destination", "");
	tell(line, row, ", next attempt ", "due", "");
	tell(line, row, ", until ", "expires", "");
	tell(line, row, ", attempts ", "attempts", "");
	tell(line, row, ": ", "reply", "");
}

/* Of a server, or of ourselves. */
static void tell_reply(struct buf *line, const struct row *row)
{
	tell(line, row, "", "status", " ");
	tell(line, row, "", "reply", "");
	tell(line, row, ", said ", "host", "");
	tell(line, row, " (", "security", ")");
}

static bool is_told(str name)
{
	return str_equal(name, STR("time")) || str_equal(name, STR("event")) || str_equal(name, STR("id"));
}

/* Of an event that has no words of its own: what it has, by name. */
static void tell_other(struct buf *line, const struct row *row)
{
	for (size_t i = 0; i < row->cells_n; i++) {
		const struct cell *c = &row->cells[i];

		if (is_told(c->name) || !is_filled(c))
			continue;
		escape_text(line, c->name);
		buf_putc(line, '=');
		output_cell(line, c);
		buf_putc(line, ' ');
	}
}

static const struct {
	const char *event;
	void (*tell)(struct buf *line, const struct row *row);
} tellers[] = {
	{"received", tell_received}, {"refused", tell_refused}, {"accepted", tell_accepted}, {"mailbox", tell_mailbox},
	{"queued", tell_queued},     {"delayed", tell_reply},   {"relayed", tell_reply},     {"bounced", tell_reply},
};

static void tell_event(struct buf *line, const struct row *row)
{
	const struct cell *event = row_cell(row, "event");
	void (*teller)(struct buf * line, const struct row *row) = tell_other;

	if (event == NULL)
		return;
	if (str_equal(event->text, STR("received")) || str_equal(event->text, STR("refused")))
		tell_heading(line, row);
	tell(line, row, "  ", "time", "");
	buf_printf(line, "  %-10.*s ", STR_ARG(event->text));
	for (size_t i = 0; i < ARRAY_LEN(tellers); i++)
		if (str_equal(event->text, str_from(tellers[i].event)))
			teller = tellers[i].tell;
	teller(line, row);
	buf_putc(line, '\n');
}

void trace_tell(FILE *out, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		BUF(line, LINE_OCTETS_MAX);
		tell_event(&line, &rows[i]);
		if (line.n > 0)
			fwrite(line.p, 1, line.n, out);
	}
}

static err print_page(void *ctx, const struct row *rows, size_t n)
{
	struct story *s = ctx;

	s->rows += n;
	if (s->out.json)
		output_rows(&s->out, rows, n);
	else
		trace_tell(s->out.file, rows, n);
	return OK;
}

int command_trace(const struct invocation *inv)
{
	struct config *config = command_config(inv);
	struct story s = {.out = {.file = stdout, .json = inv->json}};
	str words[] = {STR("trace"), str_from(inv->words[0])};

	if (config == NULL)
		return EX_CONFIG;
	int status = admin_ask(inv, config, words, ARRAY_LEN(words), NULL, print_page, &s);
	config_release(config);
	if (status == EX_OK && s.rows == 0)
		return command_fail(inv, EX_NOUSER, "no message is known of %s", inv->words[0]);
	return status;
}
