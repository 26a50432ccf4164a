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
static struct cell refused[] = {TIME,
                                TEXT("event", "refused"),
                                TEXT("id", "1A2B3D"),
                                TEXT("client", "192.0.2.1"),
                                TEXT("from", ""),
                                TEXT("to", "alice@example.org"),
                                TEXT("reply", "550 5.7.1 No.")};
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
	struct row rows[] = {ROW(received), ROW(accepted), ROW(mailbox), ROW(other), ROW(refused)};

	expect(rows, ARRAY_LEN(rows),
	       "message 1A2B3C  <a@b>  \"\\x1b[2J\"\n"
	       "  2026-11-21T21:38:00.123Z  received   from author@example.com, 1024 octets, by ESMTP from "
	       "client.example.com [192.0.2.1], session s1\n"
	       "  2026-11-21T21:38:00.123Z  accepted   for alice@example.org, asked for as sales@example.org\n"
	       "  2026-11-21T21:38:00.123Z  mailbox    alice@example.org INBOX uid 7, expunged\n"
	       "  2026-11-21T21:38:00.123Z  discarded  rule=x\\x0ay \n"
	       "message 1A2B3D\n"
	       "  2026-11-21T21:38:00.123Z  refused    from <>, for alice@example.org [192.0.2.1]: 550 5.7.1 No.\n");
}

static struct cell queued[] = {TIME,
                               TEXT("event", "queued"),
                               TEXT("id", "1A2B3C"),
                               NUMBER("recipient", 0),
                               TEXT("destination", "example.com"),
                               TEXT("reply", "greylisted"),
                               TEXT("from", "author@example.com"),
                               TEXT("state", "waiting"),
                               TEXT("due", "2026-11-21T22:00:00Z"),
                               TEXT("expires", "2026-11-26T21:38:00Z"),
                               NUMBER("attempts", 2)};
static struct cell delayed[] = {TIME,
                                TEXT("event", "delayed"),
                                TEXT("status", "4.7.1"),
                                TEXT("host", "mx.example.com[192.0.2.1]:25"),
                                TEXT("reply", "greyl\nisted"),
                                TEXT("security", "TLSv1.3")};
static struct cell relayed[] = {TIME,
                                TEXT("event", "relayed"),
                                TEXT("reply", "queued as 77"),
                                TEXT("status", "2.0.0"),
                                TEXT("host", "mx.example.com[192.0.2.1]:25"),
                                TEXT("security", "")};

static void other_servers(void **state UNUSED)
{
	struct row rows[] = {ROW(queued), ROW(delayed), ROW(relayed)};

	expect(rows, ARRAY_LEN(rows),
	       "  2026-11-21T21:38:00.123Z  queued     waiting for example.com, next attempt 2026-11-21T22:00:00Z, "
	       "until "
	       "2026-11-26T21:38:00Z, attempts 2: greylisted\n"
	       "  2026-11-21T21:38:00.123Z  delayed    4.7.1 greyl\\x0aisted, said mx.example.com[192.0.2.1]:25 "
	       "(TLSv1.3)\n"
	       "  2026-11-21T21:38:00.123Z  relayed    2.0.0 queued as 77, said mx.example.com[192.0.2.1]:25\n");
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
		cmocka_unit_test(other_servers),
		cmocka_unit_test(odd_rows_are_told_as_they_are),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
