/* SPDX-License-Identifier: ISC */
/* Leases: what a deliverer gets, who gets it when, and what becomes of it when nobody settles. */
#include "store/fixture_queue.h"
#include "store/queue_state.h"

#include <malloc.h>

/* --- what is leased --- */

static void fields(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@example.com carol@example.com dave@example.net.invalid");
	struct lease_reply l = lease_any(f, &a);
	assert_true(l.lease > 0);
	assert_int_equal(l.why, LEASE_ATTEMPT);
	assert_str(l.destination, "example.com");
	assert_int_equal(l.message, id);
	assert_true(l.report > id);
	assert_str(l.sender, "alice@example.org");
	assert_true(l.expires > l.received + 4 * 24 * 60 * MINUTE);
	assert_int_equal(l.rcpts_n, 2);
	assert_str(l.rcpts[0].address, "bob@example.com");
	assert_int_equal(l.rcpts[0].notify, DSN_FAILURE);
	assert_int_equal(l.rcpts[1].rcpt, 1);
	assert_str(l.body.bytes, "Received: by mail.example.org\r\n\r\nx\r\n");
	assert_str(l.message_id, "<m1@example.com>");
	l = lease_any(f, &a);
	assert_str(l.destination, "example.net.invalid");
	assert_int_equal(l.rcpts_n, 1);
	expect_no_lease(f);
}

static void test_what_is_leased(void **state UNUSED)
{
	fixture_run(fields);
}

static void relayed(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	struct lease_reply l = lease_any(f, &a);
	settle_relayed(f, &l);
	expect_lines(f,
	             "SELECT kind || ' ' || status || ' ' || detail || ' ' || host || ' ' || security FROM ledger "
	             "WHERE side = 1",
	             "2 2.0.0 250 Ok mx.example.com[192.0.2.1]:25 TLSv1.3\n");
	expect_lines(f, "SELECT rcpt FROM queue UNION ALL SELECT items FROM message", "0\n");
	assert_int_equal(admin_number(f, "balance", "relayed"), 1);
	assert_sound(f);
	expect_no_lease(f);
}

static void test_relayed(void **state UNUSED)
{
	fixture_run(relayed);
}

static void later(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as as = {.result = OUTCOME_LATER, .reply = "450 not\r\nnow", .warned = 1};

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	struct lease_reply l = lease_any(f, &a);
	as.due = now_usec() + 100000;
	settle_as(f, &l, &as);
	expect_no_lease(f);
	expect_lines(f, "SELECT attempts || ' ' || warned || ' ' || reply FROM queue", "1 1 450 not  now\n");
	expect_lines(f, "SELECT status || ' ' || host || ' ' || reply FROM attempt",
	             "4.0.0 mx.example.com[192.0.2.1]:25 450 not  now\n");
	assert_int_equal(lease_try(f, "send-0", "", 5000, &l, &a), OK);
	assert_int_equal(l.rcpts_n, 1);
	assert_int_equal(l.rcpts[0].attempts, 1);
	assert_int_equal(l.rcpts[0].warned, 1);
	assert_true(now_usec() >= as.due);
	settle_relayed(f, &l);
	assert_sound(f);
}

static void test_later(void **state UNUSED)
{
	fixture_run(later);
}

static void many_recipients(struct fixture *f)
{
	ARENA(a, 1 << 20);
	uint64_t sum = 0;

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	fixture_change(f,
	               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 249)"
	               " INSERT INTO ledger (message, rcpt, side, kind, at, address)"
	               " SELECT message, i, 0, 0, at, 'bob' || i || '@example.com' FROM ledger, n WHERE rcpt = 0;"
	               "INSERT INTO queue (message, rcpt, destination, lane, due, expires, sender)"
	               " SELECT q.message, l.rcpt, q.destination, q.lane, q.due, q.expires, q.sender FROM queue q, "
	               "ledger l WHERE l.rcpt > 0;"
	               "UPDATE message SET items = 250; UPDATE queue SET sender = 'other@example.org' WHERE rcpt = 7");
	struct lease_reply one = lease_any(f, &a), two = lease_any(f, &a), three = lease_any(f, &a),
			   four = lease_any(f, &a);
	assert_int_equal(one.rcpts_n, 100);
	assert_str(one.sender, "alice@example.org");
	assert_int_equal(two.rcpts_n, 1);
	assert_str(two.sender, "other@example.org");
	assert_int_equal(three.rcpts_n, 100);
	assert_int_equal(four.rcpts_n, 49);
	expect_no_lease(f);
	const struct lease_reply *all[] = {&one, &two, &three, &four};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (size_t k = 0; k < all[i]->rcpts_n; k++)
			sum += all[i]->rcpts[k].rcpt;
	assert_int_equal(sum, 249 * 250 / 2);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		settle_relayed(f, all[i]);
	assert_int_equal(admin_number(f, "balance", "relayed"), 250);
	expect_lines(f, "SELECT items FROM message", "0\n");
}

static void test_many_recipients(void **state UNUSED)
{
	fixture_run(many_recipients);
}

static void large(struct fixture *f)
{
	enum { SIZE = 3 << 20 };
	ARENA(a, 1 << 20);
	char *body = malloc(SIZE + 1);
	struct sending m = {.protocol = "ESMTP", .sender = "", .rcpts = "bob@example.com", .flags = MESSAGE_LOCAL};

	assert_non_null(body);
	for (size_t i = 0; i < SIZE; i++)
		body[i] = (char)('a' + i % 23);
	body[SIZE] = '\0';
	m.body = body;
	start(f);
	assert_int_equal(send_mail(f, &m), OK);
	struct lease_reply l = lease_any(f, &a);
	assert_true(l.body.fd >= 0);
	str head = STR("Received: by mail.example.org\r\n");
	char *read = malloc(SIZE);
	assert_non_null(read);
	assert_int_equal(file_read_at(l.body.fd, read, SIZE, (off_t)head.n), OK);
	assert_memory_equal(read, body, SIZE);
	assert_int_equal(fcntl(l.body.fd, F_GET_SEALS) & F_SEAL_WRITE, F_SEAL_WRITE);
	free(read);
	free(body);
	record_release(&record_lease_reply, &l);
}

static void test_large_bodies_come_as_files(void **state UNUSED)
{
	fixture_run(large);
}

static uint64_t send_large(struct fixture *f, const char *rcpt)
{
	enum { SIZE = 700 << 10 };
	char *body = malloc(SIZE + 1);
	struct sending m = {.protocol = "ESMTP", .sender = "", .rcpts = rcpt, .flags = MESSAGE_LOCAL};

	assert_non_null(body);
	memset(body, 'x', SIZE);
	body[SIZE] = '\0';
	m.body = body;
	assert_int_equal(send_mail(f, &m), OK);
	free(body);
	return m.id;
}

/* Bodies that travel as files are memory: of 1M, one of 700K at a time. */
static void memory(struct fixture *f)
{
	ARENA(a, 4 << 20);

	start(f);
	f->store->config->limits.body_memory = 1 << 20;
	send_large(f, "bob@example.com");
	send_large(f, "carol@example.com");
	struct lease_reply one = lease_any(f, &a), two;
	assert_true(one.body.fd >= 0);
	expect_no_lease(f);
	send_out(f, "alice@example.org", "dave@far.example"); /* small ones go on */
	two = lease_any(f, &a);
	assert_str(two.rcpts[0].address, "dave@far.example");
	settle_relayed(f, &two);
	settle_relayed(f, &one);
	record_release(&record_lease_reply, &one);
	assert_int_equal(lease_try(f, "send-0", "", 5000, &two, &a), OK);
	assert_str(two.rcpts[0].address, "carol@example.com");
	settle_relayed(f, &two);
	record_release(&record_lease_reply, &two);
	assert_int_equal(f->store->queue->leases.octets, 0);
	/* One that is larger than all that there may be goes alone. */
	f->store->config->limits.body_memory = 1 << 10;
	send_large(f, "bob@example.com");
	one = lease_any(f, &a);
	assert_true(one.body.fd >= 0);
	record_release(&record_lease_reply, &one);
}

static void test_large_bodies_are_not_all_sent_at_once(void **state UNUSED)
{
	fixture_run(memory);
}

/* A record that is damaged is no reason to send nothing, or something else. */
static void damaged(struct fixture *f)
{
	ARENA(a, 1 << 20);
	char path[200];

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	send_out(f, "alice@example.org", "carol@example.com");
	snprintf(path, sizeof(path), "%s/bodies/0000000001", f->path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	fixture_change(f, "UPDATE queue SET due = due - 1000000 WHERE message = (SELECT min(id) FROM message)");
	assert_int_equal(pwrite(fd, "\0", 1, SEGMENT_HEADER + 60), 1);
	close(fd);
	struct lease_reply l = lease_any(f, &a);
	assert_str(l.rcpts[0].address, "carol@example.com");
	expect_no_lease(f);
	expect_lines(f, "SELECT state || ' ' || reply FROM queue ORDER BY message LIMIT 1",
	             "1 the record's checksum does not fit\n");
}

static void test_damage_is_held(void **state UNUSED)
{
	fixture_run(damaged);
}

/* --- waiting --- */

struct deliverer {
	struct fixture *f;
	const char *from, *destination;
	uint64_t wait_ms;
	struct arena arena;
	struct lease_reply lease;
	err result;
	bool done;
	struct co *co;
};

static void deliver(void *arg)
{
	struct deliverer *d = arg;

	d->arena = ARENA_INIT(1 << 20);
	d->result = lease_try(d->f, d->from, d->destination, d->wait_ms, &d->lease, &d->arena);
	d->done = true;
}

static void deliverer_start(struct deliverer *d, struct fixture *f, const char *destination, uint64_t wait_ms)
{
	*d = (struct deliverer){.f = f, .from = "send-0", .destination = destination, .wait_ms = wait_ms};
	d->co = rt_spawn(deliver, d, "deliverer");
	assert_non_null(d->co);
	rt_yield();
}

static void deliverer_end(struct deliverer *d)
{
	while (!d->done)
		rt_yield();
	arena_free(&d->arena);
}

static void woken(struct fixture *f)
{
	struct deliverer any, own;

	start(f);
	deliverer_start(&any, f, "", 60000);
	deliverer_start(&own, f, "example.com", 60000);
	assert_false(any.done || own.done);
	send_out(f, "alice@example.org", "bob@example.com");
	send_out(f, "alice@example.org", "bob@other.example");
	while (!any.done || !own.done)
		rt_yield();
	assert_str(own.lease.destination, "example.com");
	assert_str(any.lease.destination, "other.example");
	settle_relayed(f, &own.lease);
	settle_relayed(f, &any.lease);
	deliverer_end(&any);
	deliverer_end(&own);
	assert_sound(f);
}

static void test_mail_wakes_deliverers(void **state UNUSED)
{
	fixture_run(woken);
}

static void cancelled(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct deliverer d;

	start(f);
	deliverer_start(&d, f, "", 60000);
	rt_cancel(d.co);
	deliverer_end(&d);
	assert_int_equal(d.result, E_CANCELLED);
	/* It has its turn already when it is cancelled. */
	deliverer_start(&d, f, "example.com", 60000);
	queue_added(f->store, STR("example.com"), 0, now_usec());
	send_out(f, "alice@example.org", "bob@example.com");
	rt_cancel(d.co);
	deliverer_end(&d);
	if (d.lease.lease != 0)
		queue_process_gone(f->store, "send-0");
	struct lease_reply l = lease_any(f, &a);
	assert_int_equal(l.rcpts_n, 1);
	/* The end of the store ends all waits. */
	deliverer_start(&d, f, "", 60000);
	fixture_close(f);
	deliverer_end(&d);
	assert_int_equal(d.result, E_TEMP);
}

static void test_waits_end(void **state UNUSED)
{
	fixture_run(cancelled);
}

/* --- who is served --- */

/* Ten thousand messages for a host that is dead, and one for one that lives. */
static void dead_host(struct fixture *f)
{
	ARENA(a, 8 << 20);
	struct settling_as dead = {.result = OUTCOME_LATER, .reply = "no connection"};
	struct lease_reply l[16];

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@dead.example");
	multiply(f, id, 10000, "dead.example");
	for (size_t i = 0; i < 5; i++) {
		l[i] = lease_any(f, &a);
		assert_str(l[i].destination, "dead.example");
	}
	expect_no_lease(f); /* the window of a destination that is not known yet */
	dead.destination_due = dead.due = now_usec() + 10 * MINUTE;
	for (size_t i = 0; i < 5; i++)
		settle_as(f, &l[i], &dead);
	expect_no_lease(f);
	for (size_t i = 0; i < 10; i++) {
		send_out(f, "alice@example.org", "bob@live.example");
		struct lease_reply live = lease_any(f, &a);
		assert_str(live.destination, "live.example");
		settle_relayed(f, &live);
	}
	expect_no_lease(f);
	admin_do(f, "queue flush dead.example");
	assert_str(lease_any(f, &a).destination, "dead.example");
	expect_no_lease(f); /* one, to see whether it is there */
}

static void test_a_dead_host_delays_nobody(void **state UNUSED)
{
	fixture_run(dead_host);
}

/* Each in turn, however much there is for one of them. */
static void turns(struct fixture *f)
{
	ARENA(a, 8 << 20);

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@a.example");
	multiply(f, id, 1000, "a.example");
	multiply(f, id, 10, "b.example");
	multiply(f, id, 10, "c.example");
	for (int i = 0; i < 10; i++) {
		static const char *const names[] = {"a.example", "b.example", "c.example"};

		for (int k = 0; k < 3; k++) {
			struct lease_reply l = lease_any(f, &a);
			assert_str(l.destination, names[k]);
			settle_relayed(f, &l);
		}
	}
	assert_str(lease_any(f, &a).destination, "a.example");
	assert_str(lease_any(f, &a).destination, "a.example");
}

static void test_destinations_take_turns(void **state UNUSED)
{
	fixture_run(turns);
}

/* Ten thousand messages to one place: who else sends one there waits for one of them. */
static void flood(struct fixture *f)
{
	ARENA(a, 8 << 20);

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@a.example");
	multiply(f, id, 10000, "a.example");
	fixture_close(f);
	fixture_open(f); /* also what is read from the database takes turns */
	send_out(f, "someone@else.example", "bob@a.example");
	for (unsigned i = 0; i < 3; i++) {
		struct lease_reply l = lease_any(f, &a);

		assert_str(l.sender, i == 1 ? "someone@else.example" : "alice@example.org");
		settle_relayed(f, &l);
	}
	send_out(f, "someone@else.example", "bob@a.example");
	fixture_close(f);
	fixture_open(f);
	str first = lease_any(f, &a).sender, second = lease_any(f, &a).sender;
	assert_false(str_equal(first, second));
}

static void test_senders_take_turns(void **state UNUSED)
{
	fixture_run(flood);
}

/* In order of age, all of them once, with the window growing; and no memory for what waits. */
static void all_of_many(struct fixture *f)
{
	enum { N = 1000, AT_ONCE = 10 };
	uint64_t last = 0;
	size_t got = 0;

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@a.example");
	multiply(f, id, N, "a.example");
	size_t before = mallinfo2().uordblks;
	while (got < N + 1) {
		ARENA(a, 8 << 20);
		struct lease_reply l[AT_ONCE];
		size_t n = 0;

		while (n < AT_ONCE && (l[n] = lease_any(f, &a)).lease != 0) {
			assert_true(l[n].message > last);
			last = l[n++].message;
		}
		assert_true(n > 0);
		for (size_t i = 0; i < n; i++)
			settle_relayed(f, &l[i]);
		got += n;
	}
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "balance", "relayed"), N + 1);
	assert_true(mallinfo2().uordblks < before + (1 << 20));
}

static void test_all_of_many_in_order(void **state UNUSED)
{
	fixture_run(all_of_many);
}

static void per_destination(struct fixture *f)
{
	ARENA(a, 1 << 20);

	fixture_configure(f, "queue per-destination 2\n");
	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@a.example");
	multiply(f, id, 10, "a.example");
	struct lease_reply one = lease_any(f, &a);
	assert_true(one.lease > 0);
	assert_true(lease_any(f, &a).lease > 0);
	expect_no_lease(f);
	settle_relayed(f, &one);
	struct lease_reply two = lease_any(f, &a);
	assert_true(two.lease > 0);
	expect_no_lease(f);
	fixture_configure(f, "queue per-destination 3\n");
	settle_relayed(f, &two);
	assert_true(lease_any(f, &a).lease > 0);
	assert_true(lease_any(f, &a).lease > 0);
	expect_no_lease(f);
}

static void test_the_configuration_limits_windows(void **state UNUSED)
{
	fixture_run(per_destination);
}

/* A hundred thousand rows: the start does not read them. */
static void big_start(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@a.example");
	multiply(f, id, 50000, "a.example");
	multiply(f, id, 50000, "b.example");
	fixture_close(f);
	int64_t begin = rt_wall();
	fixture_open(f);
	assert_true(lease_any(f, &a).lease > 0);
	assert_true(rt_wall() - begin < 3000000);
}

static void test_a_start_with_a_long_queue(void **state UNUSED)
{
	fixture_run(big_start);
}

/* --- what is given back --- */

static void gone(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	struct lease_reply l = lease_any(f, &a), again;
	queue_process_gone(f->store, "send-1");
	expect_no_lease(f);
	queue_process_gone(f->store, "send-0");
	assert_int_equal(lease_try(f, "send-1", "", 0, &again, &a), OK);
	assert_int_equal(again.message, l.message);
	assert_int_not_equal(again.lease, l.lease);
	assert_int_equal(settle_try(f, &again, &(struct settling_as){.result = OUTCOME_RELAYED}), E_DENIED);
	settle_as(f, &again, &(struct settling_as){.result = OUTCOME_RELAYED, .from = "send-1"});
	assert_sound(f);
}

static void test_leases_of_a_dead_process(void **state UNUSED)
{
	fixture_run(gone);
}

/* As it does once a minute, and at the start, which may not be over yet. */
static void sweep_now(struct fixture *f)
{
	while (f->store->queue->sweep_at == 0)
		rt_yield();
	f->store->queue->sweep_at = 0;
	rt_wake(f->store->queue->co);
}

static void forgotten(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	struct lease_reply l = lease_any(f, &a), again;
	leases_find(&f->store->queue->leases, l.lease)->since -= 7199 * NSEC_PER_SEC;
	sweep_now(f);
	while (f->store->queue->sweep_at == 0)
		rt_yield();
	expect_no_lease(f);
	leases_find(&f->store->queue->leases, l.lease)->since -= 2 * NSEC_PER_SEC;
	sweep_now(f);
	assert_int_equal(lease_try(f, "send-0", "", 5000, &again, &a), OK);
	assert_int_equal(again.message, l.message);
	settle_relayed(f, &l); /* it comes late, but it comes */
	settle_relayed(f, &again);
	assert_int_equal(admin_number(f, "balance", "relayed"), 1);
	assert_sound(f);
}

static void test_leases_that_are_not_settled(void **state UNUSED)
{
	fixture_run(forgotten);
}

/* The store dies between its commit and the answer, and is asked again. */
static void restarted(struct fixture *f)
{
	ARENA(a, 1 << 20);

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	send_out(f, "alice@example.org", "carol@example.com");
	struct lease_reply one = lease_any(f, &a), two = lease_any(f, &a);
	settle_relayed(f, &one);
	fixture_close(f);
	fixture_open(f);
	settle_relayed(f, &one);
	settle_relayed(f, &two); /* what was done counts */
	settle_relayed(f, &two);
	two.message = 0;
	assert_int_equal(settle_try(f, &two, &(struct settling_as){.result = OUTCOME_RELAYED}), E_DENIED);
	assert_int_equal(admin_number(f, "balance", "relayed"), 2);
	expect_no_lease(f);
	assert_sound(f);
}

static void test_a_settlement_outlives_the_store(void **state UNUSED)
{
	fixture_run(restarted);
}

/* A lease that nobody waits for any more when it is there is nobody's. */
static void too_late(struct fixture *f)
{
	struct deliverer d;

	start(f);
	send_large(f, "bob@example.com"); /* a thread reads it */
	deliverer_start(&d, f, "", 60000);
	while (f->store->queue->leases.by_id.count == 0)
		rt_yield();
	rt_cancel(d.co);
	while (!d.done)
		rt_yield();
	assert_int_equal(d.result, E_CANCELLED);
	deliverer_end(&d);
	ARENA(a, 1 << 20);
	struct lease_reply l = lease_any(f, &a);
	assert_true(l.lease != 0);
	record_release(&record_lease_reply, &l);
}

static void test_a_lease_that_comes_too_late(void **state UNUSED)
{
	fixture_run(too_late);
}

/* It goes back: the host was neither reached nor not. */
static void given_back(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as dead = {.result = OUTCOME_LATER};

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@example.com");
	multiply(f, id, 2, "example.com");
	struct lease_reply one = lease_any(f, &a), two = lease_any(f, &a);
	dead.due = dead.destination_due = now_usec() + 10 * MINUTE;
	settle_as(f, &one, &dead);
	two.rcpts_n = 0;
	settle_relayed(f, &two);
	expect_no_lease(f); /* it is blocked still */
	expect_lines(f, "SELECT group_concat(attempts) FROM queue", "1,0,0\n");
	admin_do(f, "queue retry all");
	two = lease_any(f, &a);
	two.rcpts_n = 0;
	settle_relayed(f, &two);
	for (int i = 0; i < 3; i++) {
		two = lease_any(f, &a);
		settle_relayed(f, &two);
	}
	assert_int_equal(admin_number(f, "balance", "relayed"), 3);
}

/* The host is busy with other mail of ours: nothing of this destination for a while, and that was no attempt. */
static void put_off(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as busy = {.result = OUTCOME_LATER};
	struct lease_reply l;

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@example.com");
	multiply(f, id, 2, "example.com");
	l = lease_any(f, &a);
	busy.destination_due = now_usec() + 300000;
	l.rcpts_n = 0;
	settle_as(f, &l, &busy);
	expect_no_lease(f);
	expect_lines(f, "SELECT sum(attempts) || ' ' || sum(unreached) FROM queue", "0 0\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lease_try(f, "send-0", "", 5000, &l, &a), OK);
		assert_true(now_usec() >= busy.destination_due);
		settle_relayed(f, &l);
	}
}

static void test_a_destination_is_put_off(void **state UNUSED)
{
	fixture_run(put_off);
}

static void test_a_lease_goes_back(void **state UNUSED)
{
	fixture_run(given_back);
}

/* --- what needs no attempt --- */

/* Beside the open store. */
static void change_live(struct fixture *f, const char *sql)
{
	char path[200];
	struct db *db;

	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(db_open(path, DB_WRITE, &db), OK);
	assert_int_equal(db_script(db, sql), OK);
	db_close(db);
}

static void expired(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as dead = {.result = OUTCOME_LATER, .reply = "450 no"};

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@example.com");
	multiply(f, id, 3, "example.com");
	struct lease_reply l = lease_any(f, &a);
	dead.due = dead.destination_due = now_usec() + 10 * MINUTE;
	settle_as(f, &l, &dead);
	expect_no_lease(f);
	/* Its time ends while nobody reaches the host. */
	change_live(f, "UPDATE queue SET expires = 5 WHERE attempts = 1");
	sweep_now(f);
	assert_int_equal(lease_try(f, "send-0", "", 5000, &l, &a), OK);
	assert_int_equal(l.why, LEASE_EXPIRED);
	assert_str(l.reason, "450 no");
	assert_int_equal(l.expires, 5);
	expect_no_lease(f); /* the others wait on */
	settle_as(f, &l, &(struct settling_as){.result = OUTCOME_FAILED, .reply = "too late"});
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "balance", "bounced"), 1);
	assert_int_equal(admin_number(f, "balance", "lost"), 0);
}

static void test_time_ends_while_the_host_is_away(void **state UNUSED)
{
	fixture_run(expired);
}

/* The wall clock was a day ahead when it was tried. */
static void clock_ahead(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as dead = {.result = OUTCOME_LATER, .reply = "450 no"};

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	struct lease_reply l = lease_any(f, &a);
	dead.due = dead.destination_due = now_usec() + 4 * 60 * MINUTE;
	settle_as(f, &l, &dead);
	sweep_now(f);
	assert_int_equal(lease_try(f, "send-0", "", 300, &l, &a), OK);
	assert_int_equal(l.lease, 0); /* four hours are a usual pause */
	change_live(f, "UPDATE queue SET due = due + 86400000000");
	schedule_find(&f->store->queue->schedule, STR("example.com"))->blocked += 86400000000;
	sweep_now(f);
	assert_int_equal(lease_try(f, "send-0", "", 5000, &l, &a), OK);
	assert_int_equal(l.why, LEASE_ATTEMPT);
	settle_relayed(f, &l);
	/* What its sender holds back is not early by that. */
	send_out(f, "alice@example.org", "bob@example.com");
	change_live(f, "UPDATE queue SET due = due + 86400000000, expires = expires + 86400000000");
	fixture_close(f);
	fixture_open(f);
	sweep_now(f);
	assert_int_equal(lease_try(f, "send-0", "", 300, &l, &a), OK);
	assert_int_equal(l.lease, 0);
	assert_sound(f);
}

static void test_a_clock_that_is_set_back(void **state UNUSED)
{
	fixture_run(clock_ahead);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_leased),
		cmocka_unit_test(test_relayed),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_large_bodies_come_as_files),
		cmocka_unit_test(test_large_bodies_are_not_all_sent_at_once),
		cmocka_unit_test(test_damage_is_held),
		cmocka_unit_test(test_mail_wakes_deliverers),
		cmocka_unit_test(test_waits_end),
		cmocka_unit_test(test_a_dead_host_delays_nobody),
		cmocka_unit_test(test_destinations_take_turns),
		cmocka_unit_test(test_senders_take_turns),
		cmocka_unit_test(test_all_of_many_in_order),
		cmocka_unit_test(test_the_configuration_limits_windows),
		cmocka_unit_test(test_a_start_with_a_long_queue),
		cmocka_unit_test(test_leases_of_a_dead_process),
		cmocka_unit_test(test_leases_that_are_not_settled),
		cmocka_unit_test(test_a_settlement_outlives_the_store),
		cmocka_unit_test(test_a_lease_that_comes_too_late),
		cmocka_unit_test(test_a_lease_goes_back),
		cmocka_unit_test(test_a_destination_is_put_off),
		cmocka_unit_test(test_time_ends_while_the_host_is_away),
		cmocka_unit_test(test_a_clock_that_is_set_back),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
