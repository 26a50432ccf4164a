/* SPDX-License-Identifier: ISC */
#include "conf/schema.h"

static void print_grammar(struct buf *out, const struct setting *s)
{
	const char *between = " Cm ";

	if (s->choices == NULL && s->type->grammar != NULL)
		buf_printf(out, " Ar %s", s->type->grammar);
	for (const char *const *c = s->choices; c != NULL && *c != NULL; c++) {
		buf_printf(out, "%s%s", between, *c);
		between = " | Cm ";
	}
	if (s->none != NULL)
		buf_printf(out, " | Cm %s", s->none);
	if (s->type->more != NULL)
		buf_printf(out, " %s", s->type->more);
	if ((s->flags & SETTING_MANY) != 0)
		buf_puts(out, " ...");
}

/* .It Ic limit Cm hops Ar N */
static void print_heading(struct buf *out, const struct setting *first, const struct setting *s)
{
	buf_printf(out, ".It Ic %s", s->name);
	if (s->option == NULL) {
		for (; s != NULL && s->option == NULL; s = schema_next(s))
			print_grammar(out, s);
	} else {
		if (first->option == NULL)
			buf_puts(out, " ...");
		buf_printf(out, " Cm %s", s->option);
		print_grammar(out, s);
	}
	buf_putc(out, '\n');
}

static void print_bounds(struct buf *out, const struct setting *s)
{
	if (s->fallback != NULL)
		buf_printf(out, "Default: %s.\n", s->fallback);
	if ((s->flags & SETTING_REQUIRED) != 0)
		buf_puts(out, "Required.\n");
	if (s->type->format == NULL)
		return;
	buf_puts(out, "From ");
	s->type->format(out, s->min);
	buf_puts(out, " to ");
	s->type->format(out, s->max);
	buf_puts(out, ".\n");
}

void config_manual(struct buf *out)
{
	buf_puts(out, ".Bl -tag -width Ds\n");
	for (const struct setting *first = schema; first != NULL; first = schema_after(first))
		for (const struct setting *s = first; s != NULL; s = schema_next(s)) {
			if (s->text == NULL)
				continue;
			print_heading(out, first, s);
			buf_printf(out, "%s\n", s->text);
			print_bounds(out, s);
		}
	buf_puts(out, ".El\n");
}
