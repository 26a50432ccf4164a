/* SPDX-License-Identifier: ISC */
#include "mail/forward.h"

#include "mail/address.h"
#include "mail/aliases.h"

static err no_memory(void)
{
	return err_note(E_MEMORY, "no memory for a .forward");
}

static err begin(struct arena *a, struct forward *out)
{
	*out = (struct forward){.targets = arena_array(a, FORWARD_TARGETS_MAX, sizeof(str)),
	                        .refusals = arena_array(a, FORWARD_REFUSALS_MAX, sizeof(struct forward_refusal))};
	return a->full ? no_memory() : OK;
}

static void refuse(struct forward *f, uint64_t line, str why)
{
	if (f->refusals_n < FORWARD_REFUSALS_MAX)
		f->refusals[f->refusals_n++] = (struct forward_refusal){line, why};
}

/* --- the file --- */

/* What is looked up later has one form. NULL: no address. */
static str target_of(str text, str domain, struct arena *a)
{
	struct address address;
	str local, of;
	str whole = str_find(text, '@') < text.n ? text
	                                         : arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(text), STR_ARG(domain));

	if (address_parse(whole, true, &address) != OK || address_key(a, &address, &local, &of) != OK ||
	    !address_is_plain(local))
		return STR_NONE;
	return arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(of));
}

static void add_target(struct forward *f, const struct aliases_value *v, str domain, struct arena *a)
{
	str target = target_of(v->text, domain, a);

	if (target.n == 0)
		refuse(f, v->line, STR("this is no address"));
	else if (f->targets_n == FORWARD_TARGETS_MAX)
		refuse(f, v->line, STR("these are too many addresses"));
	else
		f->targets[f->targets_n++] = target;
}

static void add_value(struct forward *f, const struct aliases_value *v, str domain, struct arena *a)
{
	switch (v->kind) {
	case ALIASES_ADDRESS:
	case ALIASES_LOCAL:
		add_target(f, v, domain, a);
		return;
	case ALIASES_INCLUDE:
		refuse(f, v->line, STR("other files are not included"));
		return;
	case ALIASES_FILE:
		refuse(f, v->line, STR("mail is not written to files"));
		return;
	case ALIASES_COMMAND:
		refuse(f, v->line, STR("programs are not run for mail"));
		return;
	}
}

err forward_read(str text, str domain, struct arena *a, struct forward *out)
{
	struct aliases_value *values;
	size_t n = 0;
	err e = begin(a, out);

	if (e != OK)
		return e;
	if (aliases_values(text, a, &values, &n) != OK) {
		*out = forward_fault(arena_str(a, str_from(err_info()->text)));
		return a->full ? no_memory() : OK;
	}
	for (size_t i = 0; i < n; i++)
		add_value(out, &values[i], domain, a);
	return a->full ? no_memory() : OK;
}

struct forward forward_fault(str why)
{
	return (struct forward){.fault = why};
}

/* --- the lines --- */

void forward_print(struct buf *out, const struct forward *f)
{
	for (size_t i = 0; i < f->targets_n; i++)
		buf_printf(out, "target " STR_FMT "\n", STR_ARG(f->targets[i]));
	for (size_t i = 0; i < f->refusals_n; i++)
		buf_printf(out, "refused %llu " STR_FMT "\n", (unsigned long long)f->refusals[i].line,
		           STR_ARG(f->refusals[i].why));
	if (f->fault.n > 0)
		buf_printf(out, "fault " STR_FMT "\n", STR_ARG(f->fault));
	buf_puts(out, "end\n");
}

str forward_line(struct cursor *c)
{
	str line = cursor_take_until(c, '\n');

	cursor_expect(c, '\n');
	if (line.n > FORWARD_LINE_MAX || str_has_control(line))
		cursor_fail(c);
	return c->failed ? STR_NONE : line;
}

static void take_target(struct cursor *c, struct forward *f, str rest, struct arena *a)
{
	if (f->targets_n == FORWARD_TARGETS_MAX || rest.n == 0)
		cursor_fail(c);
	else
		f->targets[f->targets_n++] = arena_str(a, rest);
}

static void take_refusal(struct cursor *c, struct forward *f, str rest, struct arena *a)
{
	str number, why;
	uint64_t line;

	str_cut(rest, ' ', &number, &why);
	if (f->refusals_n == FORWARD_REFUSALS_MAX || why.n == 0 || !str_to_u64(number, FORWARD_TEXT_MAX, &line))
		cursor_fail(c);
	else
		refuse(f, line, arena_str(a, why));
}

/* False: it was the last one, or none at all. */
static bool take_line(struct cursor *c, struct forward *f, struct arena *a)
{
	str line = forward_line(c), word, rest;

	if (str_equal(line, STR("end")))
		return false;
	str_cut(line, ' ', &word, &rest);
	if (str_equal(word, STR("target")))
		take_target(c, f, rest, a);
	else if (str_equal(word, STR("refused")))
		take_refusal(c, f, rest, a);
	else if (str_equal(word, STR("fault")) && rest.n > 0)
		f->fault = arena_str(a, rest);
	else
		cursor_fail(c);
	return !c->failed;
}

err forward_parse(struct cursor *c, struct arena *a, struct forward *out)
{
	err e = begin(a, out);

	while (e == OK && take_line(c, out, a))
		;
	if (e == OK && a->full)
		e = no_memory();
	return e == OK && c->failed ? err_note(E_SYNTAX, "these lines do not say what a .forward says") : e;
}
