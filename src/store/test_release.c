/* SPDX-License-Identifier: ISC */
/* Mail for mailboxes here that is held back until a time. */
#include "store/fixture.h"
#include "store/queue.h"

#define SECOND 1000000ull

static void start(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
	admin_do(f, "alias add team@example.org alice@example.org carol@example.org");
}

static uint64_t send_held(struct fixture *f, const char *rcpts, uint64_t until)
{
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "\r\nlater\r\n",
	                    .rcpts = rcpts,
	                    .flags = MESSAGE_LOCAL,
	                    .hold_until = until};

	if (send_mail(f, &m) != OK)
		fail_msg("accept: %s", err_info()->text);
	assert_int_equal(m.codes[0], OK);
	return m.id;
}

static void wait_for(struct fixture *f, const char *user, size_t n)
{
	for (int i = 0; i < 5000 && box_count(f, user) < n; i++)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	assert_int_equal(box_count(f, user), n);
}

static void released(struct fixture *f)
{
	struct box b;

	start(f);
	send_ok(f, "alice@example.org", "now\r\n");
	send_held(f, "team@example.org alice+x@example.org dave@example.com", (uint64_t)rt_wall() + SECOND / 2);
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	assert_int_equal(admin_number(f, "balance", "queued"), 3);
	assert_sound(f);
	wait_for(f, "alice@example.org", 2);
	wait_for(f, "carol@example.org", 1);
	assert_int_equal(admin_number(f, "balance", "queued"), 1);
	assert_int_equal(admin_number(f, "balance", "mailbox"), 3);
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries[1].uid, 2);
	assert_str(box_message(f, &b, 1),
	           "Return-Path: <bob@example.com>\r\nDelivered-To: alice@example.org\r\n"
	           "Delivered-To: team@example.org\r\nReceived: by mail.example.org\r\n\r\nlater\r\n");
	assert_int_equal(box_expunge(f, &b, 2), OK);
	box_close(f, &b);
	assert_sound(f);
	send_ok(f, "alice@example.org", "then\r\n");
	assert_sound(f);
}

static void test_released(void **state UNUSED)
{
	fixture_run(released);
}

static void over_a_restart(struct fixture *f)
{
	start(f);
	send_held(f, "alice@example.org", (uint64_t)rt_wall() + SECOND / 4);
	fixture_close(f);
	fixture_open(f);
	wait_for(f, "alice@example.org", 1);
	assert_sound(f);
}

static void test_over_a_restart(void **state UNUSED)
{
	fixture_run(over_a_restart);
}

/* Who has no mailbox any more, and what the administrator wants failed. */
static void not_delivered(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	send_held(f, "alice@example.org carol@example.org", (uint64_t)rt_wall() + 3600 * SECOND);
	admin_do(f, "account remove carol@example.org");
	fixture_change(f,
	               "UPDATE queue SET due = 5 WHERE rcpt = 1; UPDATE queue SET due = 0, state = 2 WHERE rcpt = 0");
	struct lease_request q = {.destination = STR(""), .wait_ms = 5000};
	struct lease_reply l;
	assert_int_equal(store_lease(f->store, "send-0", &q, &l, &a), OK); /* its sender is told */
	assert_int_equal(l.why, LEASE_FAIL);
	assert_int_equal(l.rcpts_n, 1);
	assert_str(l.rcpts[0].address, "alice@example.org");
	struct outcome o = {.rcpt = 0, .result = OUTCOME_FAILED, .status = STR("5.0.0")};
	struct settle_request settled = {.lease = l.lease,
	                                 .message = l.message,
	                                 .outcomes = &o,
	                                 .outcomes_n = 1,
	                                 .report_body = BODY_OF(STR_NONE)};
	assert_int_equal(store_settle(f->store, "send-0", &settled), OK);
	assert_str(fixture_lines(f, "SELECT rcpt || ' ' || state || ' ' || reply FROM queue", &a),
	           "1 1 the account is gone\n");
	assert_int_equal(admin_number(f, "balance", "bounced"), 1);
	assert_int_equal(box_count(f, "alice@example.org"), 0);
	assert_sound(f);
}

static void test_not_delivered(void **state UNUSED)
{
	fixture_run(not_delivered);
}

static void rebuild(struct fixture *f, uint64_t held)
{
	struct rebuild_result r = fixture_rebuild(f);

	assert_int_equal(r.held, held);
	assert_sound(f);
}

/* Compaction puts into the record where it went; before that a rebuild cannot know. */
static void rebuilt(struct fixture *f)
{
	char body[4000];
	struct box b;

	fixture_configure(f, "store segment 1M\n");
	start(f);
	send_held(f, "alice@example.org", (uint64_t)rt_wall() + SECOND / 4);
	wait_for(f, "alice@example.org", 1);
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	for (int i = 0; i < 300; i++)
		send_ok(f, "carol@example.org", body);
	rebuild(f, 1);
	assert_int_equal(admin_number(f, "balance", "queued"), 1);
	fixture_change(f, "UPDATE queue SET state = 0, due = 5"); /* as the verb does */
	ARENA(a, 16 << 20);
	for (int i = 0;
	     i < 5000 && fixture_lines(f, "SELECT '' FROM queue WHERE reply = 'the account is gone'", &a).n == 0; i++)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	/* alice had nothing that tells of her: the row is held */
	assert_int_equal(admin_number(f, "balance", "queued"), 1);
	admin_do(f, "account add alice@example.org");
	fixture_change(f, "UPDATE queue SET state = 0, due = 5");
	wait_for(f, "alice@example.org", 1);
	assert_int_equal(box_open(f, "carol@example.org", true, &b), OK);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(box_expunge(f, &b, b.list.entries[i].uid), OK);
	box_close(f, &b);
	assert_int_equal(admin_number(f, "store compact", "segments"), 1);
	assert_sound(f);
	rebuild(f, 0);
	assert_int_equal(box_count(f, "alice@example.org"), 1);
}

static void test_rebuild(void **state UNUSED)
{
	fixture_run(rebuilt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_released),
		cmocka_unit_test(test_over_a_restart),
		cmocka_unit_test(test_not_delivered),
		cmocka_unit_test(test_rebuild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
