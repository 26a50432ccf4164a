/* SPDX-License-Identifier: ISC */
/* fake - for this room's tests: configurations, what is wrong with them, and what they are printed as. */
#ifndef CONF_FAKE_H
#define CONF_FAKE_H

#include "base/test.h"

#include <stdio.h>

#include "conf/config.h"

#define HEAD "version 1\nhostname mail.example.org\ndomain example.org\n"

enum { FAKE_TEXT_MAX = 64 << 10 };

/* One that is good; config_release. */
UNUSED static struct config *parse(const char *text)
{
	struct config_faults faults = {.text = BUF_INIT(FAKE_TEXT_MAX)};
	struct config *c = config_parse(str_from(text), "f", &faults);

	if (c == NULL)
		fail_msg("refused: " STR_FMT, STR_ARG(buf_str(&faults.text)));
	assert_int_equal(faults.n, 0);
	buf_free(&faults.text);
	return c;
}

UNUSED static void expect_faults(const char *text, const char *expected)
{
	struct config_faults faults = {.text = BUF_INIT(FAKE_TEXT_MAX)};

	assert_null(config_parse(str_from(text), "f", &faults));
	buf_putc(&faults.text, '\0');
	assert_string_equal(faults.text.p, expected);
	buf_free(&faults.text);
}

/* The fault of one statement behind a good beginning: "LINE:COLUMN: ...". */
UNUSED static void expect_fault_at(const char *statement, const char *expected)
{
	char text[1024], fault[600];

	snprintf(text, sizeof(text), HEAD "%s\n", statement);
	snprintf(fault, sizeof(fault), "f:%s\n", expected);
	expect_faults(text, fault);
}

/* The same in its first line, which is the fourth: "COLUMN: ...". */
UNUSED static void expect_fault(const char *statement, const char *expected)
{
	char fault[512];

	snprintf(fault, sizeof(fault), "4:%s", expected);
	expect_fault_at(statement, fault);
}

/* What is printed of it holds `printed`, and is read and printed as itself. */
UNUSED static void expect_printed(const char *text, const char *printed)
{
	BUF(first, FAKE_TEXT_MAX);
	BUF(second, FAKE_TEXT_MAX);
	struct config *c = parse(text);

	config_dump(c, &first);
	config_release(c);
	if (!str_contains(buf_str(&first), str_from(printed)))
		fail_msg("\"%s\" is not in " STR_FMT, printed, STR_ARG(buf_str(&first)));
	buf_putc(&first, '\0');
	c = parse(first.p);
	config_dump(c, &second);
	config_release(c);
	buf_putc(&second, '\0');
	assert_string_equal(first.p, second.p);
}

#endif
