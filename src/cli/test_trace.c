/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "cli/trace.h"

#include <stdlib.h>

#define VIEW(z)                    \
	{                          \
		(z), sizeof(z) - 1 \
	}
#define TEXT(n, t)                               \
	{                                        \
		.name = VIEW(n), .text = VIEW(t) \
	}
#define NUMBER(n, v)                                           \
	{                                                      \
		.name = VIEW(n), .number = (v), .is_number = 1 \
	}
#define ROW(cells)                      \
	{                               \
		cells, ARRAY_LEN(cells) \
	}

#define TIME TEXT("time", "2026-11-21T21:38:00.123Z")

static struct cell received[] = {TIME,
                                 TEXT("event", "received"),
                                 TEXT("id", "1A2B3C"),
                                 TEXT("session", "s1"),
                                 TEXT("client", "192.0.2.1"),
                                 TEXT("helo", "client.example.com"),
                                 TEXT("protocol", "ESMTP"),
                                 TEXT("login", ""),
                                 TEXT("from", "author@example.com"),
                                 NUMBER("size", 1024),
                                 TEXT("message-id", "<a@b>"),
                                 TEXT("subject", "\x1b[2J")};
static struct cell accepted[] = {TIME,
                                 TEXT("event", "accepted"),
                                 TEXT("id", "1A2B3C"),
                                 NUMBER("recipient", 0),
                                 TEXT("to", "alice@example.org"),
                                 TEXT("original", "sales@example.org"),
                                 TEXT("orcpt", "")};
static struct cell mailbox[] = {TIME,
                                TEXT("event", "mailbox"),
                                TEXT("id", "1A2B3C"),
                                NUMBER("recipient", 0),
                                TEXT("account", "alice@example.org"),
                                TEXT("mailbox", "INBOX"),
                                NUMBER("uid", 7),
                                TEXT("detail", ""),
                                TEXT("state", "expunged")};
static struct cell other[] = {TIME, TEXT("event", "discarded"), TEXT("id", "1A2B3C"), TEXT("rule", "x\ny"),
                              TEXT("none", "")};

static void expect(struct row *rows, size_t n, const char *text)
{
	char *printed = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&printed, &size);

	assert_non_null(f);
	trace_tell(f, rows, n);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(printed, text);
	free(printed);
}

static void a_story_is_told(void **state UNUSED)
{
	struct row rows[] = {ROW(received), ROW(accepted), ROW(mailbox), ROW(other)};

	expect(rows, ARRAY_LEN(rows),
	       "message 1A2B3C  <a@b>  \"\\x1b[2J\"\n"
	       "  2026-11-21T21:38:00.123Z  received   from author@example.com, 1024 octets, by ESMTP from "
	       "client.example.com [192.0.2.1], session s1\n"
	       "  2026-11-21T21:38:00.123Z  accepted   for alice@example.org, asked for as sales@example.org\n"
	       "  2026-11-21T21:38:00.123Z  mailbox    alice@example.org INBOX uid 7, expunged\n"
	       "  2026-11-21T21:38:00.123Z  discarded  rule=x\\x0ay \n");
}

static void odd_rows_are_told_as_they_are(void **state UNUSED)
{
	struct cell bare[] = {TEXT("event", "received")};
	struct cell none[] = {TEXT("x", "y")};
	struct row rows[] = {ROW(bare), ROW(none)};

	expect(rows, ARRAY_LEN(rows), "\n  received   from <>, \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_story_is_told),
		cmocka_unit_test(odd_rows_are_told_as_they_are),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
