/* SPDX-License-Identifier: ISC */
/* Settlements: credits, reports in the same transaction, and who may. The system calls that write are this program's own, as in test_faults.c. */
#include "store/fixture_queue.h"

#include <errno.h>
#include <sys/syscall.h>

int fdatasync(int fd);
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);

static struct {
	int sync, log_write; /* errno to fail with, 0: works */
} fault;

int fdatasync(int fd)
{
	if (fault.sync != 0) {
		errno = fault.sync;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* Of SQLite. */
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	if (fault.log_write != 0) {
		errno = fault.log_write;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

#define REPORT "Message-ID: <r@mail.example.org>\r\nSubject: not delivered\r\n\r\nsorry\r\n"

static struct settling_as failed_with(const struct lease_reply *l)
{
	return (struct settling_as){
		.result = OUTCOME_FAILED, .reply = "550 no such user", .report = l->report, .report_body = REPORT};
}

static struct lease_reply lease_of(struct fixture *f, const char *sender, const char *rcpt, struct arena *a)
{
	send_out(f, sender, rcpt);
	return lease_any(f, a);
}

static void begin(struct fixture *f)
{
	memset(&fault, 0, sizeof(fault));
	start(f);
}

/* --- reports --- */

static void reported(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct box b;

	begin(f);
	struct lease_reply l = lease_of(f, "alice@example.org", "bob@example.com", &a);
	struct settling_as as = failed_with(&l);
	settle_as(f, &l, &as);
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries_n, 1);
	assert_str(box_message(f, &b, 0), "Return-Path: <>\r\nDelivered-To: alice@example.org\r\n"
	                                  "Received: by mail.example.org\r\n" REPORT);
	box_close(f, &b);
	expect_lines(f,
	             "SELECT sender || ' ' || message_id || ' ' || subject || ' ' || protocol FROM message WHERE "
	             "sender = ''",
	             " <r@mail.example.org> not delivered report\n");
	expect_lines(f, "SELECT kind || ' ' || detail FROM ledger WHERE side = 1 ORDER BY message",
	             "3 550 no such user\n1 \n");
	expect_lines(f, "SELECT reply FROM attempt", ""); /* the credit says it */
	assert_sound(f);
	/* Once more: the answer was lost. */
	settle_as(f, &l, &as);
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	assert_sound(f);
}

static void test_a_report_comes_with_the_settlement(void **state UNUSED)
{
	fixture_run(reported);
}

/* Its sender is far away too: the report is queued. */
static void far_sender(struct fixture *f)
{
	ARENA(a, 1 << 20);

	begin(f);
	struct lease_reply l = lease_of(f, "eve@far.example", "bob@example.com", &a);
	struct settling_as as = failed_with(&l);
	settle_as(f, &l, &as);
	uint64_t report = l.report;
	l = lease_any(f, &a);
	assert_int_equal(l.message, report);
	assert_str(l.destination, "far.example");
	assert_str(l.sender, "");
	assert_int_equal(l.rcpts_n, 1);
	assert_str(l.rcpts[0].address, "eve@far.example");
	assert_int_equal(l.rcpts[0].notify, DSN_NEVER);
	/* No report of a report. */
	as = failed_with(&l);
	settle_as(f, &l, &as);
	expect_lines(f, "SELECT detail FROM ledger WHERE side = 1 ORDER BY message",
	             "550 no such user\n550 no such user (the report had nowhere to go: the message has no sender)\n");
	assert_int_equal(admin_number(f, "balance", "bounced"), 2);
	assert_sound(f);
}

static void test_a_report_to_another_server(void **state UNUSED)
{
	fixture_run(far_sender);
}

/* The sender's mailbox is gone, before the settlement or while it is under way. */
static void nowhere(struct fixture *f)
{
	ARENA(a, 1 << 20);

	begin(f);
	admin_do(f, "account add carol@example.org");
	struct lease_reply l = lease_of(f, "carol@example.org", "bob@example.com", &a);
	admin_do(f, "account remove carol@example.org force");
	struct settling_as as = failed_with(&l);
	settle_as(f, &l, &as);
	expect_lines(
		f, "SELECT detail FROM ledger WHERE side = 1",
		"550 no such user (the report had nowhere to go: There is no such mailbox here; check the address)\n");
	expect_lines(f, "SELECT count(*) || '' FROM message", "1\n");
	expect_lines(f, "SELECT count(*) || '' FROM queue", "0\n");
	assert_sound(f);
}

static void test_a_report_that_nobody_can_get(void **state UNUSED)
{
	fixture_run(nowhere);
}

/* All of it or nothing. */
static void torn(struct fixture *f)
{
	ARENA(a, 1 << 20);

	begin(f);
	struct lease_reply l = lease_of(f, "alice@example.org", "bob@example.com", &a);
	struct settling_as as = failed_with(&l);
	fault.sync = EIO;
	assert_int_equal(settle_try(f, &l, &as), E_TEMP);
	fault.sync = 0;
	fault.log_write = ENOSPC;
	assert_int_equal(settle_try(f, &l, &as), E_FULL);
	fault.log_write = 0;
	assert_int_equal(box_count(f, "alice@example.org"), 0);
	expect_lines(f, "SELECT count(*) || '' FROM ledger WHERE side = 1", "0\n");
	expect_no_lease(f); /* it is still this one's */
	settle_as(f, &l, &as);
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	assert_int_equal(admin_number(f, "balance", "bounced"), 1);
	assert_sound(f);
	fixture_close(f);
	fixture_open(f);
	assert_sound(f);
}

static void test_faults(void **state UNUSED)
{
	fixture_run(torn);
}

/* Its process dies while the disk fails: nobody is left to try again. */
struct dying {
	struct fixture *f;
	struct lease_reply *l;
	err result;
	bool done;
};

static void settle_dying(void *arg)
{
	struct dying *d = arg;
	struct settling_as as = {.result = OUTCOME_RELAYED};

	d->result = settle_try(d->f, d->l, &as);
	d->done = true;
}

static void dies(struct fixture *f)
{
	ARENA(a, 1 << 20);

	begin(f);
	struct lease_reply l = lease_of(f, "alice@example.org", "bob@example.com", &a);
	struct dying d = {.f = f, .l = &l};
	fault.log_write = EIO;
	assert_non_null(rt_spawn(settle_dying, &d, "settle"));
	rt_yield();
	queue_process_gone(f->store, "send-0");
	while (!d.done)
		rt_yield();
	assert_int_equal(d.result, E_TEMP);
	fault.log_write = 0;
	assert_true(lease_any(f, &a).lease > 0);
}

static void test_a_process_dies_in_a_failing_settlement(void **state UNUSED)
{
	fixture_run(dies);
}

/* Its process dies, and it is said again, while it is found out where the report goes, which takes a while when those are many. */
static void settle_reporting(void *arg)
{
	struct dying *d = arg;
	struct settling_as as = failed_with(d->l);

	d->result = settle_try(d->f, d->l, &as);
	d->done = true;
}

static void reports_to_many(struct fixture *f)
{
	ARENA(a, 1 << 20);
	begin(f);
	for (int i = 0; i < 40; i++) {
		char command[100];

		snprintf(command, sizeof(command), "alias add many@example.org r%d@far.example", i);
		admin_do(f, command);
	}
	struct lease_reply l = lease_of(f, "many@example.org", "bob@example.com", &a);
	struct dying d = {.f = f, .l = &l};
	struct settling_as as = failed_with(&l);
	assert_non_null(rt_spawn(settle_reporting, &d, "settle"));
	rt_yield();
	assert_int_equal(settle_try(f, &l, &as), E_BUSY);
	queue_process_gone(f->store, "send-0");
	while (!d.done)
		rt_yield();
	assert_int_equal(d.result, OK);
	assert_int_equal(admin_number(f, "balance", "bounced"), 1);
	assert_int_equal(admin_number(f, "balance", "queued"), 40);
	assert_sound(f);
}

static void test_reports_to_many(void **state UNUSED)
{
	fixture_run(reports_to_many);
}

/* It is said again while the first is under way, and once more after its answer was lost. */
static void said_again(struct fixture *f)
{
	ARENA(a, 1 << 20);

	begin(f);
	struct lease_reply l = lease_of(f, "alice@example.org", "bob@example.com", &a);
	struct settling_as as = {.result = OUTCOME_LATER,
	                         .reply = "450 no",
	                         .due = now_usec() + 10 * MINUTE,
	                         .warned = 1,
	                         .report = l.report,
	                         .report_body = REPORT};
	struct dying d = {.f = f, .l = &l};
	fault.log_write = EIO;
	assert_non_null(rt_spawn(settle_dying, &d, "settle"));
	rt_yield();
	assert_int_equal(settle_try(f, &l, &as), E_BUSY);
	while (!d.done)
		rt_yield();
	assert_int_equal(d.result, E_TEMP);
	fault.log_write = 0;
	for (int i = 0; i < 3; i++)
		settle_as(f, &l, &as);
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	expect_lines(f, "SELECT attempts FROM queue", "1\n");
	expect_lines(f, "SELECT count(*) || '' FROM attempt", "1\n");
	assert_sound(f);
}

static void test_a_settlement_that_is_said_again(void **state UNUSED)
{
	fixture_run(said_again);
}

/* --- the rest --- */

static void who_may(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as as = {.result = OUTCOME_RELAYED, .from = "send-1"};

	begin(f);
	struct lease_reply l = lease_of(f, "alice@example.org", "bob@example.com", &a);
	assert_int_equal(settle_try(f, &l, &as), E_DENIED);
	as.from = NULL;
	l.message++;
	assert_int_equal(settle_try(f, &l, &as), E_DENIED);
	l.message--;
	l.rcpts[0].rcpt = 1;
	assert_int_equal(settle_try(f, &l, &as), E_DENIED);
	l.rcpts[0].rcpt = 0;
	as.result = 17;
	assert_int_equal(settle_try(f, &l, &as), E_PERM);
	as.result = OUTCOME_MOVED; /* nowhere */
	assert_int_equal(settle_try(f, &l, &as), E_PERM);
	expect_lines(f, "SELECT count(*) || '' FROM queue", "1\n");
	settle_relayed(f, &l);
}

static void test_who_may(void **state UNUSED)
{
	fixture_run(who_may);
}

static void moved(struct fixture *f)
{
	ARENA(a, 1 << 20);

	begin(f);
	struct lease_reply l = lease_of(f, "alice@example.org", "bob@example.com", &a);
	settle_as(f, &l, &(struct settling_as){.result = OUTCOME_MOVED, .destination = "#1 smtp relay.example:25"});
	uint64_t id = l.message;
	l = lease_any(f, &a);
	assert_int_equal(l.message, id);
	assert_str(l.destination, "#1 smtp relay.example:25");
	assert_int_equal(l.rcpts[0].attempts, 0);
	settle_relayed(f, &l);
	assert_sound(f);
}

static void test_moved(void **state UNUSED)
{
	fixture_run(moved);
}

/* What was not spoken of is due as before; what is absurd is put right. */
static void partial(struct fixture *f)
{
	ARENA(a, 1 << 20);

	begin(f);
	struct lease_reply l = lease_of(f, "alice@example.org", "bob@example.com carol@example.com", &a);
	l.rcpts_n = 1;
	settle_as(f, &l, &(struct settling_as){.result = OUTCOME_LATER, .due = UINT64_MAX});
	l = lease_any(f, &a);
	assert_int_equal(l.rcpts_n, 1);
	assert_str(l.rcpts[0].address, "carol@example.com");
	settle_relayed(f, &l);
	expect_no_lease(f);
	expect_lines(f, "SELECT due / 86400000000 - received / 86400000000 FROM queue JOIN message", "400\n");
	expect_lines(f, "SELECT items FROM message", "1\n");
	assert_sound(f);
}

static void test_partial(void **state UNUSED)
{
	fixture_run(partial);
}

/* What the administrator says of a message while it is being sent. */
static void meanwhile(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as as = {.result = OUTCOME_LATER};

	begin(f);
	struct lease_reply l = lease_of(f, "alice@example.org", "bob@example.com", &a);
	assert_int_equal(admin_number(f, "queue drop all", "being-sent"), 1);
	admin_do(f, "queue hold all");
	settle_as(f, &l, &as);
	expect_no_lease(f);
	admin_do(f, "queue release all");
	l = lease_any(f, &a);
	assert_int_equal(l.why, LEASE_ATTEMPT);
	admin_do(f, "queue fail all reason=enough");
	as.due = now_usec() + 10 * MINUTE;
	settle_as(f, &l, &as);
	l = lease_any(f, &a);
	assert_int_equal(l.why, LEASE_FAIL);
	settle_as(f, &l, &(struct settling_as){.result = OUTCOME_FAILED});
	expect_no_lease(f);
	assert_sound(f);
}

static void test_meanwhile(void **state UNUSED)
{
	fixture_run(meanwhile);
}

/* --- policies of other domains --- */

static void policies(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct policy_request q = {.domain = STR("Example.COM")};
	struct policy_reply r = {0};

	begin(f);
	assert_int_equal(store_policy(f->store, &q, &r, &a), OK);
	assert_int_equal(r.text.n, 0);
	q = (struct policy_request){
		.domain = STR("example.com"), .id = STR("1"), .text = STR("x\n"), .expires = now_usec()};
	assert_int_equal(store_policy(f->store, &q, &r, &a), OK);
	q.id = STR("2");
	assert_int_equal(store_policy(f->store, &q, &r, &a), OK);
	fixture_close(f);
	fixture_open(f);
	q = (struct policy_request){.domain = STR("example.com")};
	assert_int_equal(store_policy(f->store, &q, &r, &a), OK);
	assert_str(r.id, "2");
	assert_str(r.text, "x\n");
	assert_true(r.expires > 0);
	/* One that ended long ago is forgotten. */
	q = (struct policy_request){.domain = STR("old.example"), .id = STR("1"), .text = STR("x"), .expires = 1};
	assert_int_equal(store_policy(f->store, &q, &r, &a), OK);
	expect_lines(f, "SELECT domain FROM policy", "example.com\n");
	q.domain = STR("");
	assert_int_equal(store_policy(f->store, &q, &r, &a), E_SYNTAX);
	/* There are ten thousand at most. */
	fixture_change(
		f,
		"DELETE FROM policy; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10003)"
		" INSERT INTO policy SELECT 'host-' || i, '1', 'x', (1 << 60) - i, 1000 + i FROM n;"
		" UPDATE policy SET expires = (unixepoch() - 10) * 1000000 WHERE domain IN ('host-9000', 'host-9001')");
	q = (struct policy_request){.domain = STR("host-1")}; /* this one is used */
	assert_int_equal(store_policy(f->store, &q, &r, &a), OK);
	q = (struct policy_request){
		.domain = STR("new.example"), .id = STR("1"), .text = STR("x"), .expires = now_usec()};
	assert_int_equal(store_policy(f->store, &q, &r, &a), OK);
	expect_lines(f, "SELECT count(*) || ' ' || min(used) FROM policy WHERE domain <> 'new.example'", "9999 1004\n");
	expect_lines(f, "SELECT domain FROM policy WHERE domain IN ('host-1', 'host-9000', 'host-9001')", "host-1\n");
	expect_lines(f, "SELECT domain FROM policy WHERE domain = 'new.example'", "new.example\n");
	/* Also when nothing can be written it is known. */
	fixture_change(f, "UPDATE policy SET used = 1 WHERE domain = 'new.example'; CREATE TRIGGER full BEFORE UPDATE ON"
	                  " policy BEGIN SELECT raise(ABORT, 'no'); END");
	q = (struct policy_request){.domain = STR("new.example")};
	r = (struct policy_reply){0};
	assert_int_equal(store_policy(f->store, &q, &r, &a), OK);
	assert_str(r.text, "x");
}

static void test_policies(void **state UNUSED)
{
	fixture_run(policies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_report_comes_with_the_settlement),
		cmocka_unit_test(test_a_report_to_another_server),
		cmocka_unit_test(test_a_report_that_nobody_can_get),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_a_process_dies_in_a_failing_settlement),
		cmocka_unit_test(test_a_settlement_that_is_said_again),
		cmocka_unit_test(test_reports_to_many),
		cmocka_unit_test(test_who_may),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_policies),
	};

	return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
