/* SPDX-License-Identifier: ISC */
/* The verbs of `pombo queue`. */
#include "base/encode.h"
#include "store/fixture_queue.h"

static void three(struct fixture *f)
{
	start(f);
	send_out(f, "alice@example.org", "bob@example.com carol@other.example");
	send_out(f, "eve@far.example", "bob@example.com");
	send_out(f, "", "dave@example.com");
}

static void filters(struct fixture *f)
{
	ARENA(a, 1 << 20);
	char words[100], id[ID_TEXT_MAX];

	three(f);
	assert_int_equal(admin_count(f, "queue list"), 4);
	assert_int_equal(admin_count(f, "queue list all"), 4);
	assert_int_equal(admin_count(f, "queue list sender=alice@example.org"), 2);
	assert_int_equal(admin_count(f, "queue list sender=<>"), 1);
	assert_int_equal(admin_count(f, "queue list recipient=BOB@example.com"), 2);
	assert_int_equal(admin_count(f, "queue list recipient=bob@example.com sender=eve@far.example"), 1);
	assert_int_equal(admin_count(f, "queue list domain=example.com"), 3);
	assert_int_equal(admin_count(f, "queue list destination=other.example"), 1);
	assert_int_equal(admin_count(f, "queue list age>1h"), 0);
	assert_int_equal(admin_count(f, "queue list state=waiting"), 4);
	assert_int_equal(admin_count(f, "queue list state=held"), 0);
	struct lease_reply l = lease_any(f, &a);
	assert_int_equal(admin_count(f, "queue list state=sending"), 1);
	snprintf(words, sizeof(words), "queue list %.*s", STR_ARG(id_text(l.message, id)));
	assert_int_equal(admin_count(f, words), 2);
	snprintf(words, sizeof(words), "queue show %.*s", STR_ARG(id_text(l.message, id)));
	assert_int_equal(admin_count(f, words), 2);
	assert_int_equal(admin_number(f, words, "size"), l.body.bytes.n);
	fixture_change(f, "UPDATE message SET received = received - 7200000000");
	assert_int_equal(admin_count(f, "queue list age>1h"), 4);
	assert_int_equal(admin_count(f, "queue list older=3h"), 0);
}

static void test_filters(void **state UNUSED)
{
	fixture_run(filters);
}

static void usage(struct fixture *f)
{
	three(f);
	assert_int_equal(admin_result(f, "queue list colour=red"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue list state=red"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue list age>red"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue list !"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue list 1A 1B"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue list 1A"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "queue show"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue drop"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue drop reason=x"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue drop 1A"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "queue hold"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue fail"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue release"), E_SYNTAX);
	assert_int_equal(admin_result(f, "queue flush"), E_SYNTAX);
	assert_int_equal(admin_count(f, "queue list"), 4);
}

static void test_usage(void **state UNUSED)
{
	fixture_run(usage);
}

static void hold_release(struct fixture *f)
{
	ARENA(a, 1 << 20);

	three(f);
	assert_int_equal(admin_number(f, "queue hold all reason=wait", "affected"), 4);
	assert_int_equal(admin_number(f, "queue hold all", "affected"), 0);
	expect_no_lease(f);
	assert_int_equal(admin_count(f, "queue list state=held"), 4);
	expect_lines(f, "SELECT DISTINCT reply FROM queue", "wait\n");
	fixture_close(f);
	fixture_open(f);
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "queue retry", "affected"), 0);
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "queue release domain=other.example", "affected"), 1);
	assert_str(lease_any(f, &a).destination, "other.example");
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "queue release all", "affected"), 3);
	expect_lines(f,
	             "SELECT count(*) || '' FROM queue, message WHERE message.id = queue.message AND due <= received",
	             "4\n");
	assert_true(lease_any(f, &a).lease > 0);
	assert_sound(f);
}

static void test_hold_and_release(void **state UNUSED)
{
	fixture_run(hold_release);
}

static void retry(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as as = {.result = OUTCOME_LATER};

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	as.due = as.destination_due = now_usec() + 10 * MINUTE;
	struct lease_reply l = lease_any(f, &a);
	settle_as(f, &l, &as);
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "queue flush nobody.example", "affected"), 0);
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "queue flush example.com", "affected"), 1);
	l = lease_any(f, &a);
	assert_int_equal(l.rcpts_n, 1);
	settle_as(f, &l, &as);
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "queue retry", "affected"), 1);
	l = lease_any(f, &a);
	settle_relayed(f, &l);
	assert_sound(f);
}

static void test_retry_and_flush(void **state UNUSED)
{
	fixture_run(retry);
}

/* Failed while its host is not reached: it is not waited for. */
static void fail_blocked(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct settling_as as = {.result = OUTCOME_LATER, .reply = "no connection"};

	start(f);
	send_out(f, "alice@example.org", "bob@example.com");
	send_out(f, "alice@example.org", "carol@example.com");
	as.due = as.destination_due = now_usec() + 10 * MINUTE;
	struct lease_reply l = lease_any(f, &a);
	settle_as(f, &l, &as);
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "queue fail recipient=bob@example.com", "affected"), 1);
	l = lease_any(f, &a);
	assert_int_equal(l.why, LEASE_FAIL);
	assert_str(l.reason, "no connection");
	assert_str(l.rcpts[0].address, "bob@example.com");
	expect_no_lease(f);
	settle_as(f, &l, &(struct settling_as){.result = OUTCOME_FAILED, .reply = "given up"});
	expect_no_lease(f);
	assert_int_equal(admin_number(f, "balance", "bounced"), 1);
	assert_sound(f);
}

static void test_fail(void **state UNUSED)
{
	fixture_run(fail_blocked);
}

static void drop(struct fixture *f)
{
	three(f);
	assert_int_equal(admin_number(f, "queue drop sender=alice@example.org reason=spam", "affected"), 2);
	assert_int_equal(admin_number(f, "queue drop sender=<>", "affected"), 1);
	expect_lines(f, "SELECT detail FROM ledger WHERE side = 1 ORDER BY message, rcpt",
	             "spam\nspam\ndropped by the administrator\n");
	assert_int_equal(admin_count(f, "queue list"), 1);
	assert_int_equal(admin_number(f, "balance", "discarded"), 3);
	assert_int_equal(admin_number(f, "balance", "queued"), 1);
	assert_sound(f);
}

static void test_drop(void **state UNUSED)
{
	fixture_run(drop);
}

/* Many pages, each row once; and all of them are changed. */
static void pages(struct fixture *f)
{
	enum { N = 3000 };

	start(f);
	uint64_t id = send_out(f, "alice@example.org", "bob@example.com");
	multiply(f, id, N, "a.example");
	assert_int_equal(admin_count(f, "queue list"), N + 1);
	assert_int_equal(admin_count(f, "queue list domain=a.example"), N);
	assert_int_equal(admin_count(f, "queue list domain=example.com"), 1);
	assert_int_equal(admin_number(f, "queue drop domain=a.example", "affected"), N);
	assert_int_equal(admin_count(f, "queue list"), 1);
	assert_int_equal(admin_number(f, "balance", "lost"), 0);
}

static void test_pages(void **state UNUSED)
{
	fixture_run(pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_hold_and_release),
		cmocka_unit_test(test_retry_and_flush),
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests_name("admin_queue", tests, NULL, NULL);
}
