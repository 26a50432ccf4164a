/* SPDX-License-Identifier: ISC */
#include "conf/schema.h"

/* " option value"; nothing for a flag that is not set. */
static void print_option(struct buf *out, const struct setting *s, const struct config *c)
{
	BUF(value, 64 << 10);

	s->type->print(&value, s, c);
	if (value.n == 0)
		return;
	if (s->option != NULL && (s->flags & SETTING_FLAG) == 0)
		buf_printf(out, " %s", s->option);
	buf_putc(out, ' ');
	buf_put(out, buf_str(&value));
}

/* A statement with a value of its own is one line; one that has only options is a line for each. */
static void print_statement(struct buf *out, const struct setting *first, const struct config *c)
{
	buf_puts(out, first->name);
	for (const struct setting *s = first; s != NULL; s = schema_next(s)) {
		if (s != first && first->option != NULL)
			buf_printf(out, "\n%s", s->name);
		print_option(out, s, c);
	}
	buf_putc(out, '\n');
}

void config_dump(const struct config *c, struct buf *out)
{
	for (const struct setting *s = schema; s != NULL; s = schema_after(s)) {
		if ((s->flags & SETTING_LINES) != 0)
			s->type->print(out, s, c);
		else if (s->type->print != NULL)
			print_statement(out, s, c);
	}
}
