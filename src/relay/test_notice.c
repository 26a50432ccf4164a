/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "base/date.h"
#include "relay/notice.h"

#define HOUR     (3600 * USEC_PER_SEC)
#define RECEIVED (1000 * HOUR)

static struct config *config;

/* One recipient. */
struct one {
	struct arena arena;
	struct lease_reply lease;
	struct lease_rcpt rcpt;
	struct outcome outcome;
	bool handed_on;
	struct notice n;
};

static struct one one;

static void begin(uint64_t notify, enum outcome_result result)
{
	one = (struct one){.arena = ARENA_INIT(1 << 20),
	                   .lease = {.sender = STR("alice@example.org"),
	                             .message = 7,
	                             .report = 8,
	                             .received = RECEIVED,
	                             .expires = RECEIVED + 120 * HOUR,
	                             .rcpts_n = 1},
	                   .rcpt = {.address = STR("bob@example.com"), .notify = notify},
	                   .outcome = {.result = result,
	                               .status = STR("5.1.1"),
	                               .reply = STR("550 5.1.1 no"),
	                               .host = STR("mx[192.0.2.1]:25")}};
	one.lease.rcpts = &one.rcpt;
	one.n = (struct notice){.config = config,
	                        .lease = &one.lease,
	                        .outcomes = &one.outcome,
	                        .handed_on = &one.handed_on,
	                        .now = RECEIVED + HOUR,
	                        .arena = &one.arena};
}

/* -1: none is due; else the action. */
static int due(void)
{
	enum report_action action;
	bool is = notice_due(&one.n, 0, &action);

	arena_free(&one.arena);
	return is ? (int)action : -1;
}

static int due_for(uint64_t notify, enum outcome_result result)
{
	begin(notify, result);
	return due();
}

/* RFC 3461 5.2, 4.1. */
static void failures(void **state UNUSED)
{
	assert_int_equal(due_for(0, OUTCOME_FAILED), REPORT_FAILED);
	assert_int_equal(due_for(DSN_FAILURE, OUTCOME_FAILED), REPORT_FAILED);
	assert_int_equal(due_for(DSN_FAILURE | DSN_DELAY, OUTCOME_FAILED), REPORT_FAILED);
	assert_int_equal(due_for(DSN_NEVER, OUTCOME_FAILED), -1);
	assert_int_equal(due_for(DSN_SUCCESS, OUTCOME_FAILED), -1);
	begin(0, OUTCOME_FAILED);
	one.lease.sender = STR_NONE;
	assert_int_equal(due(), -1);
}

static void successes(void **state UNUSED)
{
	assert_int_equal(due_for(0, OUTCOME_RELAYED), -1);
	assert_int_equal(due_for(DSN_FAILURE, OUTCOME_RELAYED), -1);
	assert_int_equal(due_for(DSN_SUCCESS, OUTCOME_RELAYED), REPORT_RELAYED);
	begin(DSN_SUCCESS, OUTCOME_RELAYED);
	one.handed_on = true;
	assert_int_equal(due(), -1);
	begin(DSN_SUCCESS, OUTCOME_RELAYED);
	one.n.delivered = true;
	assert_int_equal(due(), REPORT_DELIVERED);
	begin(DSN_SUCCESS, OUTCOME_RELAYED);
	one.lease.sender = STR_NONE;
	assert_int_equal(due(), -1);
	assert_int_equal(due_for(DSN_SUCCESS, OUTCOME_MOVED), -1);
}

static int delayed(uint64_t notify, int64_t hours, bool warned)
{
	begin(notify, OUTCOME_LATER);
	one.n.now = RECEIVED + hours * HOUR;
	one.rcpt.warned = warned;
	return due();
}

static void delays(void **state UNUSED)
{
	assert_int_equal(delayed(0, 3, false), -1);
	assert_int_equal(delayed(0, 4, false), REPORT_DELAYED);
	assert_int_equal(delayed(DSN_DELAY, 5, false), REPORT_DELAYED);
	assert_int_equal(delayed(DSN_DELAY | DSN_FAILURE, 5, false), REPORT_DELAYED);
	assert_int_equal(delayed(DSN_FAILURE, 5, false), -1);
	assert_int_equal(delayed(DSN_NEVER, 5, false), -1);
	assert_int_equal(delayed(0, 5, true), -1);
}

static int past_deadline(uint64_t notify, uint64_t mode)
{
	begin(notify, OUTCOME_LATER);
	one.lease.by_mode = mode;
	one.lease.deliver_by = RECEIVED + HOUR / 2;
	return due();
}

/* RFC 2852. */
static void deadlines_that_the_sender_named(void **state UNUSED)
{
	assert_int_equal(past_deadline(0, BY_NOTIFY), REPORT_DELAYED);
	assert_int_equal(past_deadline(DSN_FAILURE, BY_NOTIFY), REPORT_DELAYED);
	assert_int_equal(past_deadline(DSN_NEVER, BY_NOTIFY), -1);
	assert_int_equal(past_deadline(0, BY_RETURN), -1);
	assert_int_equal(past_deadline(0, BY_NONE), -1);
}

static void a_report_for_those_that_are_due(void **state UNUSED)
{
	struct lease_rcpt rcpts[] = {{.address = STR("bob@example.com")},
	                             {.address = STR("carol@example.com"), .notify = DSN_NEVER},
	                             {.address = STR("dave@example.com"), .original = STR("friend@example.org")}};
	struct outcome outcomes[] = {{.result = OUTCOME_FAILED,
	                              .status = STR("5.1.1"),
	                              .reply = STR("550 5.1.1 unknown"),
	                              .host = STR("mx.example.com[192.0.2.1]:25")},
	                             {.result = OUTCOME_FAILED,
	                              .status = STR("5.1.1"),
	                              .reply = STR("550 5.1.1 unknown"),
	                              .host = STR("mx.example.com[192.0.2.1]:25")},
	                             {.result = OUTCOME_LATER, .status = STR("4.4.1"), .reply = STR("nobody answers")}};
	bool handed_on[3] = {false, false, false};
	BUF(text, 64 << 10);

	begin(0, OUTCOME_FAILED);
	one.lease.rcpts = rcpts;
	one.lease.rcpts_n = 3;
	one.n.outcomes = outcomes;
	one.n.handed_on = handed_on;
	one.n.now = RECEIVED + 5 * HOUR;
	assert_true(notice_print(&one.n, STR("Subject: hello\r\n\r\nHow are you?\r\n"), &text));
	assert_true(str_contains(buf_str(&text), STR("bob@example.com")));
	assert_false(str_contains(buf_str(&text), STR("carol@example.com")));
	assert_true(str_contains(buf_str(&text), STR("friend@example.org")));
	assert_true(str_contains(buf_str(&text), STR("550 5.1.1 unknown")));
	assert_true(str_contains(buf_str(&text), STR("nobody answers")));
	assert_true(str_contains(buf_str(&text), STR("postmaster@example.org")));
	assert_true(str_contains(buf_str(&text), STR("Subject: hello\r\n")));
	assert_int_equal(outcomes[0].warned, 0);
	assert_int_equal(outcomes[2].warned, 1);
	arena_free(&one.arena);
}

static void none_is_due(void **state UNUSED)
{
	BUF(text, 64 << 10);

	begin(DSN_NEVER, OUTCOME_FAILED);
	assert_false(notice_print(&one.n, STR("Subject: hello\r\n\r\n"), &text));
	assert_int_equal(text.n, 0);
	arena_free(&one.arena);
}

static int begin_all(void **state UNUSED)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};

	config = config_parse(STR("version 1\nhostname mail.example.org\ndomain example.org\n"), "f", &faults);
	return config == NULL;
}

static int end_all(void **state UNUSED)
{
	config_release(config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures),
		cmocka_unit_test(successes),
		cmocka_unit_test(delays),
		cmocka_unit_test(deadlines_that_the_sender_named),
		cmocka_unit_test(a_report_for_those_that_are_due),
		cmocka_unit_test(none_is_due),
	};

	return cmocka_run_group_tests_name("notice", tests, begin_all, end_all);
}
