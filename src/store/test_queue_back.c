/* SPDX-License-Identifier: ISC */
/* A host that was away: what waits only because of that goes as soon as it is back, and nothing else does. */
#include "store/fixture_queue.h"

enum { FAR = 60 };

/* All that is due of example.com is put off for an hour. */
static void put_off(struct fixture *f, unsigned n, bool unreached)
{
	struct settling_as as = {.result = OUTCOME_LATER, .reply = "not now"};
	ARENA(a, 1 << 20);

	for (unsigned i = 0; i < n; i++) {
		struct lease_reply l = lease_any(f, &a);

		assert_true(l.lease > 0);
		as.due = now_usec() + FAR * MINUTE;
		as.destination_due = unreached ? now_usec() + 200000 : 0;
		settle_as(f, &l, &as);
	}
}

static void deliver_one(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct lease_reply l;

	send_out(f, "alice@example.org", "carol@example.com");
	assert_int_equal(lease_try(f, "send-0", "", 5000, &l, &a), OK); /* as soon as the host is tried again */
	assert_true(l.lease > 0);
	settle_relayed(f, &l);
}

static void expect_leases(struct fixture *f, unsigned n)
{
	ARENA(a, 16 << 20);

	for (unsigned i = 0; i < n; i++) {
		struct lease_reply l;

		assert_int_equal(lease_try(f, "send-0", "", 5000, &l, &a), OK);
		assert_int_equal(l.rcpts_n, 1);
		settle_relayed(f, &l);
	}
	expect_no_lease(f);
}

static void is_back(struct fixture *f)
{
	start(f);
	send_out(f, "alice@example.org", "greylisted@example.com");
	put_off(f, 1, false);
	send_out(f, "alice@example.org", "bob@example.com");
	put_off(f, 1, true);
	expect_no_lease(f);
	deliver_one(f);
	expect_leases(f, 1);
	expect_lines(f, "SELECT address FROM queue q JOIN ledger l ON l.message = q.message",
	             "greylisted@example.com\n");
	assert_sound(f);
}

static void test_a_host_is_back(void **state UNUSED)
{
	fixture_run(is_back);
}

/* Nobody has to remember that it was away. */
static void restart(struct fixture *f)
{
	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	put_off(f, 1, true);
	fixture_close(f);
	fixture_open(f);
	expect_no_lease(f);
	deliver_one(f);
	expect_leases(f, 1);
}

static void test_after_a_restart(void **state UNUSED)
{
	fixture_run(restart);
}

/* In several steps, and from several senders. Held ones stay. */
static void many(struct fixture *f)
{
	enum { N = 2500 };

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@example.com");
	multiply(f, id, N, "example.com");
	fixture_change(f, "UPDATE queue SET lane = message % 5, unreached = 1, due = due + 3600000000;"
	                  "UPDATE queue SET state = 1, due = due + 4611686018427387904 WHERE message % 10 = 0;"
	                  "UPDATE queue SET unreached = 0 WHERE message % 10 = 1");
	deliver_one(f);
	for (uint64_t waiting = 1; waiting > 0;) {
		ARENA(a, 1 << 20);
		struct lease_reply l;

		assert_int_equal(lease_try(f, "send-0", "", 500, &l, &a), OK);
		waiting = l.lease;
		if (waiting > 0)
			settle_relayed(f, &l);
	}
	expect_lines(f, "SELECT count(*) FROM queue WHERE message % 10 > 1", "0\n");
	expect_lines(f,
	             "SELECT state || ' ' || (due > 4611686018427387904) FROM queue GROUP BY state, due > "
	             "4611686018427387904",
	             "0 0\n1 1\n");
}

static void test_many_rows(void **state UNUSED)
{
	fixture_run(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_host_is_back),
		cmocka_unit_test(test_after_a_restart),
		cmocka_unit_test(test_many_rows),
	};

	return cmocka_run_group_tests_name("queue_back", tests, NULL, NULL);
}
