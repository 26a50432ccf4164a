/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "cli/explain.h"

#include <stdlib.h>

#define VIEW(z)                    \
	{                          \
		(z), sizeof(z) - 1 \
	}
#define TEXT(n, t)                               \
	{                                        \
		.name = VIEW(n), .text = VIEW(t) \
	}
#define ROW(cells)                      \
	{                               \
		cells, ARRAY_LEN(cells) \
	}

static struct cell message[] = {TEXT("what", "message"),
                                TEXT("id", "1A2B3C"),
                                TEXT("state", "accepted"),
                                TEXT("time", "2026-11-21T21:38:00.123Z"),
                                TEXT("session", "s1"),
                                TEXT("client", "192.0.2.1"),
                                TEXT("helo", "client.example.com"),
                                TEXT("login", ""),
                                TEXT("from", ""),
                                TEXT("message-id", "<a@b>"),
                                TEXT("subject", "\x1b[2J")};
static struct cell recipient[] = {TEXT("what", "recipient"), TEXT("address", "alice@example.org"),
                                  TEXT("state", "mailbox"), TEXT("mailbox", "Junk"), TEXT("detail", "")};
#define FINDING(k, n, r, p, e)                                                                                   \
	{                                                                                                        \
		TEXT("what", "finding"), TEXT("kind", k), TEXT("name", n), TEXT("result", r), TEXT("points", p), \
			TEXT("evidence", e)                                                                      \
	}
static struct cell spf[] = FINDING("check", "spf", "fail", "0", "v=spf1 -all");
static struct cell dkim[] = FINDING("check", "dkim", "none", "0", "");
static struct cell words[] = FINDING("rule", "words", "-", "5.5", "cheap 0.99");
static struct cell known[] = FINDING("rule", "known-network", "-", "-0.25", "12 messages");
static struct cell mute[] = FINDING("scanner", "clamd", "failed", "0", "127.0.0.1:3310: timed out");
static struct cell decision[] = FINDING("decision", "points", "junk", "5.25", "5 points make junk");
static struct cell sum[] = {TEXT("what", "sum"), TEXT("points", "5.25")};
static struct cell header[] = {TEXT("what", "header"), TEXT("text", "Subject: x")};
static struct cell refused[] = {TEXT("what", "message"),         TEXT("id", "1A2B3D"),
                                TEXT("state", "refused"),        TEXT("time", "2026-11-21T21:38:00.123Z"),
                                TEXT("from", "bob@example.com"), TEXT("reply", "550 5.7.1 No.")};

static void expect(const struct row *rows, size_t n, const char *text)
{
	char *printed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	assert_int_equal(explain_tell(out, rows, n), OK);
	fclose(out);
	assert_string_equal(printed, text);
	free(printed);
}

static void test_told(void **state UNUSED)
{
	struct row rows[] = {ROW(message), ROW(recipient), ROW(spf), ROW(dkim),   ROW(words),  ROW(known),
	                     ROW(mute),    ROW(decision),  ROW(sum), ROW(header), ROW(refused)};

	expect(rows, ARRAY_LEN(rows),
	       "message 1A2B3C  <a@b>  \"\\x1b[2J\"\n"
	       "  accepted 2026-11-21T21:38:00.123Z, from <>, by client.example.com [192.0.2.1], session s1\n"
	       "  for alice@example.org: mailbox Junk\n"
	       "\nWhat was checked\n"
	       "check  result  evidence\n"
	       "spf    fail    v=spf1 -all\n"
	       "dkim   none\n"
	       "\nWhat counted\n"
	       " points  rule           evidence\n"
	       "    5.5  words          cheap 0.99\n"
	       "  -0.25  known-network  12 messages\n"
	       "      0  clamd          failed: 127.0.0.1:3310: timed out\n"
	       "   5.25  sum\n"
	       "\nThe decision\n"
	       "points: junk; 5 points make junk\n"
	       "\nIts header\n"
	       "Subject: x\n"
	       "\n"
	       "message 1A2B3D\n"
	       "  refused 2026-11-21T21:38:00.123Z, from bob@example.com\n"
	       "  reply: 550 5.7.1 No.\n");
}

static void test_nothing(void **state UNUSED)
{
	expect(NULL, 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
