/* SPDX-License-Identifier: ISC */
/* What submitters are told of their messages. */
#include "store/fixture_queue.h"

struct asking {
	struct fixture *f;
	struct fate_request q;
	struct fate_reply r;
	struct arena arena;
	err result;
	bool done;
	struct co *co;
};

static void ask_run(void *arg)
{
	struct asking *x = arg;

	x->r = (struct fate_reply){0};
	x->result = store_fate(x->f->store, "edge-0", &x->q, &x->r, &x->arena);
	x->done = true;
}

static err ask(struct asking *x)
{
	ask_run(x);
	return x->result;
}

static void expect_fate(struct asking *x, size_t i, const char *address, enum fate_state state, const char *reply)
{
	assert_int_equal(ask(x), OK);
	assert_true(i < x->r.fates_n);
	assert_str(x->r.fates[i].address, address);
	assert_int_equal(x->r.fates[i].state, state);
	assert_str(x->r.fates[i].reply, reply);
}

/* alice submits a message to two on other servers, and to herself. */
static void submit(struct fixture *f, struct asking *x)
{
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "alice@example.org",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "bob@example.com carol@example.net.invalid alice@example.org",
	                    .flags = MESSAGE_LOCAL};

	start(f);
	uint64_t account = account_id(f, "alice@example.org");
	struct grant_request grant = {.edge = STR("edge-0"), .session = STR("s1"), .account = account};
	assert_int_equal(store_grant(f->store, &grant), OK);
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], OK);
	fixture_change(f, "UPDATE message SET login = 'alice@example.org'");
	assert_int_equal(store_grant(f->store, &grant), OK);
	*x = (struct asking){.f = f, .arena = ARENA_INIT(1 << 20)};
	x->q = (struct fate_request){.session = STR("s1"), .account = account, .message = m.id};
}

static void states(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct asking x;

	submit(f, &x);
	expect_fate(&x, 0, "bob@example.com", FATE_QUEUED, "");
	expect_fate(&x, 2, "alice@example.org", FATE_MAILBOX, "");
	assert_int_equal(x.r.fates_n, 3);
	assert_int_equal(x.r.final, 0);
	uint64_t version = x.r.version;
	assert_int_equal(ask(&x), OK);
	assert_int_equal(x.r.version, version);

	struct lease_reply one = lease_any(f, &a), two = lease_any(f, &a);
	struct settling_as as = {.result = OUTCOME_LATER, .due = now_usec() + MINUTE, .reply = "450 later"};
	settle_as(f, &one, &as);
	expect_fate(&x, 0, "bob@example.com", FATE_DELAYED, "450 later");
	assert_int_equal(x.r.fates[0].due, as.due);
	assert_str(x.r.fates[0].host, "mx.example.com[192.0.2.1]:25");
	assert_int_not_equal(x.r.version, version);
	version = x.r.version;
	admin_do(f, "queue hold recipient=bob@example.com");
	expect_fate(&x, 0, "bob@example.com", FATE_HELD, "450 later");
	assert_int_equal(x.r.fates[0].due, as.due);
	assert_int_not_equal(x.r.version, version);
	admin_do(f, "queue drop recipient=bob@example.com reason=spam");
	expect_fate(&x, 0, "bob@example.com", FATE_DISCARDED, "spam");
	settle_as(f, &two, &(struct settling_as){.result = OUTCOME_FAILED, .reply = "550 no"});
	expect_fate(&x, 1, "carol@example.net.invalid", FATE_FAILED, "550 no");
	assert_int_equal(x.r.final, 1);
	arena_free(&x.arena);
}

/* That somebody took it for junk is not told to who sent it. */
static void moved(struct fixture *f)
{
	struct asking x;

	submit(f, &x);
	admin_do(f, "mailbox move alice@example.org INBOX Junk there all");
	expect_lines(f, "SELECT count(*) FROM ledger WHERE detail LIKE 'moved from INBOX by %'", "1\n");
	expect_fate(&x, 2, "alice@example.org", FATE_MAILBOX, "");
	arena_free(&x.arena);
}

static void test_moved(void **state UNUSED)
{
	fixture_run(moved);
}

static void test_states(void **state UNUSED)
{
	fixture_run(states);
}

static void not_his(struct fixture *f)
{
	struct asking x;

	submit(f, &x);
	x.q.session = STR("s2");
	assert_int_equal(ask(&x), E_DENIED);
	x.q.session = STR("s1");
	x.q.message++;
	assert_int_equal(ask(&x), E_NOT_FOUND);
	x.q.message--;
	admin_do(f, "account add carol@example.org");
	struct grant_request grant = {
		.edge = STR("edge-0"), .session = STR("s1"), .account = account_id(f, "carol@example.org")};
	assert_int_equal(store_grant(f->store, &grant), OK);
	x.q.account = grant.account;
	assert_int_equal(ask(&x), E_NOT_FOUND);
	arena_free(&x.arena);
}

static void test_only_the_submitter_is_told(void **state UNUSED)
{
	fixture_run(not_his);
}

static void ask_start(struct asking *x)
{
	x->done = false;
	x->co = rt_spawn(ask_run, x, "asking");
	assert_non_null(x->co);
	rt_yield();
}

static void ask_end(struct asking *x)
{
	while (!x->done)
		rt_yield();
}

static void waits(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct asking x, other;

	submit(f, &x);
	assert_int_equal(ask(&x), OK);
	x.q.seen = x.r.version;
	x.q.wait_ms = 60000;
	other = x;
	other.arena = ARENA_INIT(1 << 20);
	ask_start(&x);
	ask_start(&other);
	assert_false(x.done || other.done);
	rt_cancel(other.co);
	ask_end(&other);
	assert_int_equal(other.result, E_CANCELLED);
	ask_start(&other);
	struct lease_reply l = lease_any(f, &a);
	settle_relayed(f, &l);
	ask_end(&x);
	ask_end(&other);
	assert_int_equal(x.result, OK);
	assert_int_equal(x.r.fates[0].state, FATE_RELAYED);
	assert_int_not_equal(x.r.version, x.q.seen);
	assert_int_equal(other.r.version, x.r.version);
	/* Nothing happens: the same again, when the time is over. */
	x.q.seen = x.r.version;
	x.q.wait_ms = 20;
	ask_start(&x);
	ask_end(&x);
	assert_int_equal(x.result, OK);
	assert_int_equal(x.r.version, x.q.seen);
	/* The end of the store ends the wait. */
	x.q.wait_ms = 60000;
	ask_start(&x);
	fixture_close(f);
	ask_end(&x);
	assert_int_equal(x.result, E_TEMP);
	arena_free(&other.arena);
	arena_free(&x.arena);
}

static void test_it_waits_for_changes(void **state UNUSED)
{
	fixture_run(waits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_only_the_submitter_is_told),
		cmocka_unit_test(test_it_waits_for_changes),
	};

	return cmocka_run_group_tests_name("fate", tests, NULL, NULL);
}
