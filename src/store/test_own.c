/* SPDX-License-Identifier: ISC */
/* What `send` may write, and what it may not. */
#include "store/fixture_queue.h"

/* The answer's reply code; 250: it was kept. */
static uint64_t write_own(struct fixture *f, struct accept_request q, const char *to, size_t rcpts_n)
{
	ARENA(a, 1 << 20);
	struct rcpt rcpts[2] = {{.address = str_from(to)}, {.address = STR("carol@example.com")}};
	struct accept_reply r = {0};

	q.rcpts = rcpts;
	q.rcpts_n = rcpts_n;
	q.body = BODY_OF(STR("From: postmaster@example.org\r\n\r\nx\r\n"));
	if (store_accept_own(f->store, &q, &r, &a) != OK)
		return (uint64_t)err_info()->reply;
	assert_int_equal(r.answers_n, 1);
	return r.answers[0].code == OK ? 250 : r.answers[0].reply;
}

static void kept(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct accept_request q = {.sender = STR("postmaster@example.org"),
	                           .message_id = STR("<1@example.org>"),
	                           .flags = MESSAGE_TLS_OPTIONAL};

	start(f);
	assert_int_equal(write_own(f, q, "bob@example.com", 1), 250);
	q.sender = STR("postmaster@example.net");
	assert_int_equal(write_own(f, q, "alice@example.org", 1), 250);
	assert_int_equal(admin_number(f, "balance", "queued"), 1);
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	struct lease_reply l = lease_any(f, &a);
	assert_str(l.sender, "postmaster@example.org");
	assert_str(l.rcpts[0].address, "bob@example.com");
	assert_int_equal(l.rcpts[0].notify, DSN_NEVER);
	assert_int_equal(l.flags & MESSAGE_TLS_OPTIONAL, MESSAGE_TLS_OPTIONAL);
	assert_sound(f);
}

static void test_kept(void **state UNUSED)
{
	fixture_run(kept);
}

static void refused(struct fixture *f)
{
	static const char *const senders[] = {"",
	                                      "postmaster",
	                                      "postmaster@",
	                                      "postmaster@example.com",
	                                      "alice@example.org",
	                                      "postmaster@example.org@example.com",
	                                      "xpostmaster@example.org"};
	struct accept_request q = {0};

	start(f);
	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		q.sender = str_from(senders[i]);
		if (write_own(f, q, "bob@example.com", 1) != 554)
			fail_msg("%s", senders[i]);
	}
	q.sender = STR("postmaster@example.org");
	assert_int_equal(write_own(f, q, "bob@example.com", 2), 554);
	assert_int_equal(write_own(f, q, "bob@example.com", 0), 554);
	assert_int_equal(write_own(f, q, "nobody@example.org", 1), 550);
	assert_int_equal(write_own(f, q, "bob@exa mple.com\r\n", 1), 554);
	assert_int_equal(admin_number(f, "balance", "accepted"), 0);
}

static void test_refused(void **state UNUSED)
{
	fixture_run(refused);
}

/* Whatever else it asks for. */
static void nothing_else(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct range all = {0, 10};
	struct accept_request q = {.id = 7,
	                           .account = 1,
	                           .sender = STR("postmaster@example.org"),
	                           .envid = STR("x"),
	                           .flags = MESSAGE_LOCAL | MESSAGE_SUBMISSION | MESSAGE_REQUIRE_TLS,
	                           .hold_until = UINT64_C(1) << 59,
	                           .priority = 19,
	                           .headers = STR("X: y\r\n"),
	                           .drop = &all,
	                           .drop_n = 1};

	start(f);
	assert_int_equal(write_own(f, q, "bob@example.com", 1), 250);
	struct lease_reply l = lease_any(f, &a);
	assert_true(l.lease != 0 && l.message != 7);
	assert_str(l.envid, "");
	assert_str(l.login, "");
	assert_int_equal(l.flags & (MESSAGE_LOCAL | MESSAGE_SUBMISSION | MESSAGE_REQUIRE_TLS), 0);
	assert_str(l.body.bytes, "From: postmaster@example.org\r\n\r\nx\r\n");
}

static void test_nothing_else_counts(void **state UNUSED)
{
	fixture_run(nothing_else);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nothing_else_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
