/* SPDX-License-Identifier: ISC */
/* What went wrong, for people: one line on standard error and an exit status. */
#include <stdarg.h>
#include <stdio.h>

#include "base/encode.h"
#include "cli/command.h"

PRINTF(2, 0)
static void complain(const struct invocation *inv, const char *fmt, va_list ap)
{
	char text[1000];
	BUF(escaped, 8000);

	vsnprintf(text, sizeof(text), fmt, ap);
	escape_text(&escaped, str_from(text));
	fflush(stdout);
	fprintf(stderr, "pombo%s%s: " STR_FMT "\n", inv->command != NULL ? " " : "",
	        inv->command != NULL ? inv->command->name : "", STR_ARG(buf_str(&escaped)));
}

int command_fail(const struct invocation *inv, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(inv, fmt, ap);
	va_end(ap);
	return status;
}

static void print_forms(FILE *f, const struct command *c)
{
	str rest = str_from(c->arguments), form;
	const char *head = "usage:";
	bool more = true;

	while (more) {
		more = str_cut(rest, '\n', &form, &rest);
		fprintf(f, "%-6s pombo %s%s" STR_FMT "\n", head, c->name, form.n > 0 ? " " : "", STR_ARG(form));
		head = "";
	}
}

int command_usage(const struct invocation *inv, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(inv, fmt, ap);
	va_end(ap);
	print_forms(stderr, inv->command);
	return EX_USAGE;
}

int command_status(err e)
{
	static const int statuses[] = {
		[OK] = EX_OK,
		[E_END] = EX_UNAVAILABLE,
		[E_TEMP] = EX_TEMPFAIL,
		[E_PERM] = EX_DATAERR,
		[E_SYNTAX] = EX_DATAERR,
		[E_LIMIT] = EX_DATAERR,
		[E_FULL] = EX_IOERR,
		[E_NOT_FOUND] = EX_NOUSER,
		[E_EXISTS] = EX_CANTCREAT,
		[E_DENIED] = EX_NOPERM,
		[E_BUSY] = EX_TEMPFAIL,
		[E_IO] = EX_IOERR,
		[E_CLOSED] = EX_UNAVAILABLE,
		[E_TIMEOUT] = EX_TEMPFAIL,
		[E_CANCELLED] = EX_TEMPFAIL,
		[E_MEMORY] = EX_OSERR,
	};

	return (unsigned)e < ARRAY_LEN(statuses) ? statuses[e] : EX_SOFTWARE;
}

int command_fail_err(const struct invocation *inv, err e)
{
	const char *text = err_info()->text;

	return command_fail(inv, command_status(e), "%s", text[0] != '\0' ? text : err_name(e));
}

struct config *command_config(const struct invocation *inv)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};
	struct config *c = config_load(inv->config_path, &faults);

	if (faults.text.n > 0)
		if (faults.n > 0)
			fwrite(faults.text.p, 1, faults.text.n, stderr);
	buf_free(&faults.text);
	return c;
}
