/* SPDX-License-Identifier: ISC */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Thread_local struct err_info *err_slot;

static _Thread_local struct err_info thread_slot;

static const char *const names[] = {
	[OK] = "ok",           [E_END] = "end",         [E_TEMP] = "temp",           [E_PERM] = "perm",
	[E_SYNTAX] = "syntax", [E_LIMIT] = "limit",     [E_FULL] = "full",           [E_NOT_FOUND] = "not-found",
	[E_EXISTS] = "exists", [E_DENIED] = "denied",   [E_BUSY] = "busy",           [E_IO] = "io",
	[E_CLOSED] = "closed", [E_TIMEOUT] = "timeout", [E_CANCELLED] = "cancelled", [E_MEMORY] = "memory",
};

static struct err_info *slot(void)
{
	return err_slot != NULL ? err_slot : &thread_slot;
}

/* The text ends up in reply lines: a line break in it would be a second reply. */
static void mask_controls(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

PRINTF(4, 0)
static void fill(err code, int reply, const char *status, const char *fmt, va_list ap)
{
	/* Built aside: the arguments may point into the slot, when an error is wrapped in another. */
	struct err_info info = {.code = code, .reply = reply};

	if (status != NULL)
		snprintf(info.status, sizeof(info.status), "%s", status);
	vsnprintf(info.text, sizeof(info.text), fmt, ap);
	mask_controls(info.text);
	*slot() = info;
}

err err_set(err code, int reply, const char *status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(code, reply, status, fmt, ap);
	va_end(ap);
	return code;
}

err err_note(err code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(code, 0, NULL, fmt, ap);
	va_end(ap);
	return code;
}

const struct err_info *err_info(void)
{
	return slot();
}

const char *err_name(err code)
{
	return (unsigned)code < ARRAY_LEN(names) ? names[code] : "unknown";
}
