/* SPDX-License-Identifier: ISC */
/* What the tests of the queue share: a deliverer's calls. */
#ifndef STORE_FIXTURE_QUEUE_H
#define STORE_FIXTURE_QUEUE_H

#include "store/fixture.h"
#include "store/queue.h"

#define MINUTE (60ull * 1000000)

UNUSED static uint64_t now_usec(void)
{
	return (uint64_t)rt_wall();
}

UNUSED static err lease_try(struct fixture *f, const char *from, const char *destination, uint64_t wait_ms,
                            struct lease_reply *r, struct arena *a)
{
	struct lease_request q = {.destination = str_from(destination), .wait_ms = wait_ms};

	record_init(&record_lease_reply, r);
	return store_lease(f->store, from, &q, r, a);
}

/* Of any destination, at once. lease 0: there is none. */
UNUSED static struct lease_reply lease_any(struct fixture *f, struct arena *a)
{
	struct lease_reply r;

	if (lease_try(f, "send-0", "", 0, &r, a) != OK)
		fail_msg("lease: %s", err_info()->text);
	return r;
}

UNUSED static void expect_no_lease(struct fixture *f)
{
	ARENA(a, 1 << 20);

	assert_int_equal(lease_any(f, &a).lease, 0);
}

/* The same for each recipient of a lease. */
struct settling_as {
	enum outcome_result result;
	uint64_t due, destination_due;
	const char *reply, *destination;
	uint64_t report, warned; /* report: its id */
	const char *report_body;
	const char *from; /* NULL: send-0 */
};

UNUSED static err settle_try(struct fixture *f, const struct lease_reply *l, const struct settling_as *as)
{
	struct outcome outcomes[200];
	struct settle_request q = {.lease = l->lease,
	                           .message = l->message,
	                           .outcomes = outcomes,
	                           .outcomes_n = l->rcpts_n,
	                           .destination_due = as->destination_due,
	                           .report = as->report,
	                           .report_headers = STR("Received: by mail.example.org\r\n"),
	                           .report_body = BODY_OF(str_from(as->report_body))};

	for (size_t i = 0; i < l->rcpts_n; i++)
		outcomes[i] = (struct outcome){.rcpt = l->rcpts[i].rcpt,
		                               .result = as->result,
		                               .due = as->due,
		                               .destination = str_from(as->destination),
		                               .status = as->result == OUTCOME_RELAYED ? STR("2.0.0") : STR("4.0.0"),
		                               .reply = str_from(as->reply),
		                               .host = STR("mx.example.com[192.0.2.1]:25"),
		                               .security = STR("TLSv1.3"),
		                               .warned = as->warned};
	return store_settle(f->store, as->from == NULL ? "send-0" : as->from, &q);
}

UNUSED static void settle_as(struct fixture *f, const struct lease_reply *l, const struct settling_as *as)
{
	if (settle_try(f, l, as) != OK)
		fail_msg("settle: %s", err_info()->text);
}

UNUSED static void settle_relayed(struct fixture *f, const struct lease_reply *l)
{
	settle_as(f, l, &(struct settling_as){.result = OUTCOME_RELAYED, .reply = "250 Ok"});
}

UNUSED static void expect_lines(struct fixture *f, const char *sql, const char *expected)
{
	ARENA(a, 1 << 20);

	assert_str(fixture_lines(f, sql, &a), expected);
}

/* `n` copies of a message with one recipient on another server, for `destination`, due a microsecond apart. */
UNUSED static void multiply(struct fixture *f, uint64_t message, unsigned n, const char *destination)
{
	char sql[2000];

	snprintf(sql, sizeof(sql),
	         "BEGIN; CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i "
	         "< %u)"
	         " SELECT (SELECT max(id) FROM message) + i AS id, i FROM n;"
	         "INSERT INTO message SELECT n.id, segment, offset, length, body, 1, received, sender, session, "
	         "client, helo,"
	         " protocol, login, message_id, subject, envid, ret, flags, deliver_by, by_mode, priority"
	         " FROM message m, n WHERE m.id = %llu;"
	         "INSERT INTO ledger (message, rcpt, side, kind, at, address) SELECT id, 0, 0, 0, 0, 'bob@%s' FROM n;"
	         "INSERT INTO queue (message, rcpt, destination, lane, due, expires, sender)"
	         " SELECT n.id, 0, '%s', q.lane, q.due + n.i, q.expires, q.sender FROM queue q, n WHERE q.message = "
	         "%llu AND "
	         "q.rcpt = 0;"
	         "COMMIT",
	         n, (unsigned long long)message, destination, destination, (unsigned long long)message);
	fixture_change(f, sql);
}

UNUSED static void start(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
}

#endif
