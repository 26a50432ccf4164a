/* SPDX-License-Identifier: ISC */
/* The wall clock jumps: what is queued is neither given up because of that, nor kept for years. */
#include "store/fixture_queue.h"
#include "store/queue_state.h"

#define DAY  (24 * 60 * MINUTE)
#define YEAR (365 * DAY)

static char sql[400];

/* As though all that is known had been known `ago` microseconds earlier. */
static void age_all(struct fixture *f, uint64_t ago)
{
	snprintf(
		sql, sizeof(sql),
		"UPDATE meta SET value = value - %lld WHERE key = 'clock'; UPDATE queue SET due = due - %lld, expires ="
		" expires - %lld; UPDATE message SET deliver_by = deliver_by - %lld WHERE deliver_by > 0",
		(long long)ago, (long long)ago, (long long)ago, (long long)ago);
	fixture_change(f, sql);
}

static void expect_days_left(const struct lease_reply *l, uint64_t days)
{
	assert_in_range(l->expires, now_usec() + days * DAY - 10 * MINUTE, now_usec() + days * DAY + MINUTE);
}

static void far_ahead(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "alice@example.org",
	                    .body = "x\r\n",
	                    .rcpts = "bob@example.com",
	                    .flags = MESSAGE_LOCAL,
	                    .by_mode = BY_RETURN};

	start(f);
	m.deliver_by = now_usec() + 2 * DAY;
	assert_int_equal(send_mail(f, &m), OK);
	age_all(f, 14 * YEAR);
	struct lease_reply l = lease_any(f, &a);
	assert_int_equal(l.why, LEASE_ATTEMPT);
	expect_days_left(&l, 2);
	assert_int_equal(l.deliver_by, l.expires);
	settle_relayed(f, &l);
	assert_sound(f);
}

static void test_a_start_in_the_far_future(void **state UNUSED)
{
	fixture_run(far_ahead);
}

/* The clock was wrong when the mail came. */
static void back_again(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	age_all(f, (uint64_t) - (int64_t)(14 * YEAR));
	fixture_change(f, "UPDATE queue SET due = 5");
	struct lease_reply l = lease_any(f, &a);
	expect_days_left(&l, 5);
}

static void test_a_start_in_the_past(void **state UNUSED)
{
	fixture_run(back_again);
}

/* A day of five, or a restart, is no jump: mail whose time is over is over. */
static void usual(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	age_all(f, DAY);
	fixture_change(f, "UPDATE queue SET expires = expires - 345600000000");
	struct lease_reply l = lease_any(f, &a);
	assert_int_equal(l.why, LEASE_EXPIRED);
}

static void test_usual_pauses(void **state UNUSED)
{
	fixture_run(usual);
}

/* Beside the open store. */
static void change_live(struct fixture *f, const char *change)
{
	char path[200];
	struct db *db;

	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(db_open(path, DB_WRITE, &db), OK);
	assert_int_equal(db_script(db, change), OK);
	db_close(db);
}

static void look_now(struct queue *q)
{
	while (q->sweep_at == 0) /* the first time, at the start */
		rt_yield();
	q->sweep_at = 0;
	rt_wake(q->co);
	while (q->sweep_at == 0)
		rt_yield();
}

/* A hundred days ahead, while it runs. */
static void running(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@example.com");
	multiply(f, id, 1, "example.com");
	struct queue *q = f->store->queue;
	look_now(q);
	change_live(f, "UPDATE queue SET expires = expires - 8640000000000");
	q->clock.wall -= 100 * DAY;
	struct lease_reply l = lease_any(f, &a); /* before anybody has looked at the clock */
	assert_int_equal(l.why, LEASE_ATTEMPT);
	look_now(q);
	l = lease_any(f, &a);
	assert_int_equal(l.why, LEASE_ATTEMPT);
	expect_days_left(&l, 5);
	look_now(q); /* once is enough */
	expect_lines(f, "SELECT count(*) FROM queue WHERE expires > (strftime('%s', 'now') + 6 * 86400) * 1000000",
	             "0\n");
}

static void test_a_jump_while_it_runs(void **state UNUSED)
{
	fixture_run(running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_start_in_the_far_future),
		cmocka_unit_test(test_a_start_in_the_past),
		cmocka_unit_test(test_usual_pauses),
		cmocka_unit_test(test_a_jump_while_it_runs),
	};

	return cmocka_run_group_tests_name("queue_clock", tests, NULL, NULL);
}
