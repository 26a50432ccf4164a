/* SPDX-License-Identifier: ISC */
/* A message's way: accepted, read, expunged, across restarts. */
#include "store/fixture.h"

static void start(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
}

/* --- accept and read --- */

static void a_message_comes_back(struct fixture *f)
{
	struct mailbox_read_reply r;
	struct box b;

	start(f);
	send_ok(f, "alice@example.org", "Subject: hello\r\n\r\nhi\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries_n, 1);
	assert_str(box_message(f, &b, 0), "Return-Path: <bob@example.com>\r\nDelivered-To: alice@example.org\r\n"
	                                  "Received: by mail.example.org\r\nSubject: hello\r\n\r\nhi\r\n");
	/* in pieces: across the border of prefix and record, at and behind the end */
	assert_int_equal(box_read(f, &b, 1, 56, 14, &r), OK);
	assert_str(r.bytes, "ple.org\r\nRecei");
	assert_int_equal(box_read(f, &b, 1, b.list.entries[0].size - 4, 100, &r), OK);
	assert_str(r.bytes, "hi\r\n");
	assert_int_equal(box_read(f, &b, 1, 1 << 20, 100, &r), OK);
	assert_int_equal(r.bytes.n, 0);
	assert_int_equal(box_read(f, &b, 2, 0, 100, &r), E_NOT_FOUND);
	assert_int_equal(box_read(f, &b, 1, 0, BODY_INLINE_MAX + 1, &r), E_LIMIT);
	box_close(f, &b);
	assert_sound(f);
}

static void test_a_message_comes_back(void **state UNUSED)
{
	fixture_run(a_message_comes_back);
}

static void one_mailbox_twice(struct fixture *f)
{
	struct box b;

	start(f);
	send_ok(f, "alice+x@example.org alice@example.org carol@example.org", "\r\nhi\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries_n, 1);
	assert_true(str_starts(box_message(f, &b, 0),
	                       STR("Return-Path: <bob@example.com>\r\nDelivered-To: alice@example.org\r\nDelivered-To: "
	                           "alice+x@example.org\r\nRec")));
	box_close(f, &b);
	assert_int_equal(box_count(f, "carol@example.org"), 1);
	assert_int_equal(admin_number(f, "balance", "accepted"), 3);
	assert_int_equal(admin_number(f, "balance", "mailbox"), 3);
	assert_sound(f);
}

static void test_two_recipients_of_one_mailbox_are_two_debits_and_one_item(void **state UNUSED)
{
	fixture_run(one_mailbox_twice);
}

static void id_only_once(struct fixture *f)
{
	struct sending m = {.protocol = "ESMTP", .sender = "", .body = "x\r\n", .rcpts = "alice@example.org"};

	start(f);
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(send_mail(f, &m), E_TEMP); /* the same id */
	assert_int_equal(err_info()->reply, 451);
	m.id = UINT64_MAX / 4; /* never given out */
	assert_int_equal(send_mail(f, &m), E_PERM);
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	assert_sound(f);
}

static void test_an_id_is_used_only_once(void **state UNUSED)
{
	fixture_run(id_only_once);
}

static void control_characters(struct fixture *f)
{
	struct sending m = {
		.protocol = "ESMTP", .sender = "a@b.example>\r\nX: y", .body = "x\r\n", .rcpts = "alice@example.org"};

	start(f);
	assert_int_equal(send_mail(f, &m), E_PERM);
	assert_int_equal(box_count(f, "alice@example.org"), 0);
}

static void test_an_envelope_cannot_break_the_header(void **state UNUSED)
{
	fixture_run(control_characters);
}

/* --- many at once --- */

enum { SENDERS = 50, EACH = 4 };

struct crowd {
	struct fixture *f;
	struct co *waiter;
	size_t running;
};

static void sender(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < EACH; i++)
		send_ok(c->f, "alice@example.org carol@example.org", "Subject: many\r\n\r\nbody\r\n");
	if (--c->running == 0)
		rt_wake(c->waiter);
}

static void send_many(struct fixture *f)
{
	struct crowd c = {.f = f, .waiter = rt_self(), .running = SENDERS};

	for (int i = 0; i < SENDERS; i++)
		assert_non_null(rt_spawn(sender, &c, "sender"));
	assert_int_equal(rt_park(RT_NEVER), OK);
}

static void batches(struct fixture *f)
{
	struct box b;

	start(f);
	send_many(f);
	assert_int_equal(box_open(f, "alice@example.org", false, &b), OK);
	assert_int_equal(b.list.entries_n, SENDERS * EACH);
	for (size_t i = 0; i < b.list.entries_n; i++)
		assert_int_equal(b.list.entries[i].uid, i + 1);
	box_close(f, &b);
	assert_int_equal(admin_number(f, "balance", "accepted"), 2 * SENDERS * EACH);
	assert_sound(f);
}

static void test_many_at_once(void **state UNUSED)
{
	fixture_run(batches);
}

/* One job of a batch that fails by a statement does not take the others with it. */
static void send_used_id(void *arg)
{
	struct crowd *c = arg;
	struct sending m = {.protocol = "ESMTP", .sender = "", .body = "x\r\n", .rcpts = "alice@example.org", .id = 0};

	assert_int_equal(send_mail(c->f, &m), OK);
	assert_int_equal(send_mail(c->f, &m), E_TEMP);
	if (--c->running == 0)
		rt_wake(c->waiter);
}

static void bad_among_good(struct fixture *f)
{
	struct crowd c = {.f = f, .waiter = rt_self(), .running = 20};

	start(f);
	for (int i = 0; i < 20; i++)
		assert_non_null(rt_spawn(send_used_id, &c, "sender"));
	assert_int_equal(rt_park(RT_NEVER), OK);
	assert_int_equal(box_count(f, "alice@example.org"), 20);
	assert_sound(f);
}

static void test_a_bad_job_leaves_its_batch_whole(void **state UNUSED)
{
	fixture_run(bad_among_good);
}

/* --- expunge --- */

static void expunged(struct fixture *f)
{
	struct mailbox_read_reply r;
	struct box b;

	start(f);
	for (int i = 0; i < 3; i++)
		send_ok(f, "alice@example.org carol@example.org", "x\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(box_expunge(f, &b, 2), OK);
	assert_int_equal(box_expunge(f, &b, 2), OK); /* gone already */
	assert_int_equal(box_expunge(f, &b, 77), OK);
	assert_int_equal(box_read(f, &b, 2, 0, 10, &r), E_NOT_FOUND);
	box_close(f, &b);
	assert_int_equal(box_count(f, "alice@example.org"), 2);
	assert_int_equal(box_count(f, "carol@example.org"), 3);
	send_ok(f, "alice@example.org", "x\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries[2].uid, 4); /* a uid is never used again */
	box_close(f, &b);
	assert_int_equal(admin_number(f, "balance", "mailbox"), 7);
	assert_sound(f);
}

static void test_expunge(void **state UNUSED)
{
	fixture_run(expunged);
}

/* --- quota --- */

static void quota(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct sending m = {.protocol = "LMTP",
	                    .sender = "",
	                    .body = "0123456789\r\n",
	                    .rcpts = "alice@example.org carol@example.org"};

	start(f);
	admin_do(f, "account quota alice@example.org 200");
	assert_int_equal(rcpt_answer(f, "alice@example.org", 100, &a).code, OK);
	assert_int_equal(rcpt_answer(f, "alice@example.org", 201, &a).reply, 452);
	send_ok(f, "alice@example.org", "0123456789\r\n");
	send_ok(f, "alice@example.org", "0123456789\r\n");
	/* LMTP: each has an answer of its own */
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], E_FULL);
	assert_int_equal(m.replies[0], 452);
	assert_int_equal(m.codes[1], OK);
	/* SMTP: one answer for all, so nobody gets it */
	m = (struct sending){.protocol = "ESMTP",
	                     .sender = "",
	                     .body = "0123456789\r\n",
	                     .rcpts = "carol@example.org alice@example.org"};
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], E_FULL);
	assert_int_equal(m.codes[1], E_FULL);
	assert_int_equal(box_count(f, "carol@example.org"), 1);
	assert_int_equal(box_count(f, "alice@example.org"), 2);
	/* the configuration's quota is for those that have none */
	fixture_configure(f, "quota 1K\n");
	assert_int_equal(rcpt_answer(f, "carol@example.org", 1000, &a).reply, 452);
	assert_sound(f);
}

static void test_quota(void **state UNUSED)
{
	fixture_run(quota);
}

/* --- restart, crash --- */

static void restarts(struct fixture *f)
{
	uint64_t first, second, validity;
	struct box b;

	start(f);
	first = send_ok(f, "alice@example.org", "one\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	validity = b.list.uidvalidity;
	box_close(f, &b);
	fixture_close(f);
	fixture_open(f);
	second = send_ok(f, "alice@example.org", "two\r\n");
	assert_true(second > first);
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.uidvalidity, validity);
	assert_int_equal(b.list.entries_n, 2);
	assert_int_equal(b.list.entries[1].uid, 2);
	assert_true(str_ends(box_message(f, &b, 0), STR("one\r\n")));
	box_close(f, &b);
	assert_sound(f);
}

static void test_restart(void **state UNUSED)
{
	fixture_run(restarts);
}

static void append_garbage(struct fixture *f, const char *segment)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/bodies/%s", f->path, segment);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "half a record", 13), 13);
	close(fd);
}

static off_t segment_octets(struct fixture *f, const char *segment)
{
	struct stat st;
	char path[200];

	snprintf(path, sizeof(path), "%s/bodies/%s", f->path, segment);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void torn_tail(struct fixture *f)
{
	struct box b;

	start(f);
	send_ok(f, "alice@example.org", "one\r\n");
	fixture_close(f);
	off_t size = segment_octets(f, "0000000001");
	append_garbage(f, "0000000001");
	append_garbage(f, "0000000002"); /* a segment that was begun but never committed */
	fixture_open(f);
	assert_int_equal(segment_octets(f, "0000000001"), size);
	assert_int_equal(segment_octets(f, "0000000002"), -1);
	send_ok(f, "alice@example.org", "two\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_true(str_ends(box_message(f, &b, 0), STR("one\r\n")));
	assert_true(str_ends(box_message(f, &b, 1), STR("two\r\n")));
	box_close(f, &b);
	assert_sound(f);
}

static void test_a_torn_tail_is_cut_off(void **state UNUSED)
{
	fixture_run(torn_tail);
}

static void lost_database(struct fixture *f)
{
	char path[200];

	start(f);
	send_ok(f, "alice@example.org", "one\r\n");
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_open(f->path, f->config, &f->store), E_IO);
	assert_true(str_contains(str_from(err_info()->text), STR("store rebuild")));
	f->store = NULL;
}

static void test_bodies_without_a_database_are_not_started_on(void **state UNUSED)
{
	fixture_run(lost_database);
}

static void two_servers(struct fixture *f)
{
	struct store *second;

	fixture_open(f);
	assert_int_equal(store_open(f->path, f->config, &second), E_BUSY);
}

static void test_a_second_server_is_refused(void **state UNUSED)
{
	fixture_run(two_servers);
}

static void rolls(struct fixture *f)
{
	struct box b;
	char body[3000];

	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	fixture_configure(f, "store segment 1M\n");
	start(f);
	for (int i = 0; i < 400; i++)
		send_ok(f, "alice@example.org", body);
	assert_true(segment_octets(f, "0000000002") > 0);
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	for (size_t i = 0; i < b.list.entries_n; i += 50)
		assert_true(str_ends(box_message(f, &b, i), str_from(body)));
	box_close(f, &b);
	assert_sound(f);
}

static void test_segments_roll_over(void **state UNUSED)
{
	fixture_run(rolls);
}

/* --- grants and locks --- */

static void locks(struct fixture *f)
{
	struct box one, two;
	struct mailbox_read_reply r;

	start(f);
	send_ok(f, "alice@example.org", "x\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &one), OK);
	assert_int_equal(box_open(f, "alice@example.org", true, &two), E_BUSY);
	arena_free(&two.arena);
	assert_int_equal(box_open(f, "alice@example.org", false, &two), OK);
	box_close(f, &two);
	/* another session, another process, another account */
	struct mailbox_read_request q = {STR("stranger"), one.list.mailbox, 1, 0, 10};
	assert_int_equal(store_mailbox_read(f->store, "edge-0", &q, &r, &one.arena), E_DENIED);
	q.session = str_from(one.session);
	assert_int_equal(store_mailbox_read(f->store, "edge-1", &q, &r, &one.arena), E_DENIED);
	struct mailbox_open_request open = {str_from(one.session), account_id(f, "carol@example.org"), STR("INBOX"), 0};
	struct mailbox_open_reply opened = {0};
	assert_int_equal(store_mailbox_open(f->store, "edge-0", &open, &opened, &one.arena), E_DENIED);
	/* the process dies */
	store_process_gone(f->store, "edge-0");
	assert_int_equal(box_read(f, &one, 1, 0, 10, &r), E_DENIED);
	assert_int_equal(box_open(f, "alice@example.org", true, &two), OK);
	box_close(f, &two);
	box_close(f, &one);
}

static void test_grants_and_locks(void **state UNUSED)
{
	fixture_run(locks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_comes_back),
		cmocka_unit_test(test_two_recipients_of_one_mailbox_are_two_debits_and_one_item),
		cmocka_unit_test(test_an_id_is_used_only_once),
		cmocka_unit_test(test_an_envelope_cannot_break_the_header),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_a_bad_job_leaves_its_batch_whole),
		cmocka_unit_test(test_expunge),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_a_torn_tail_is_cut_off),
		cmocka_unit_test(test_bodies_without_a_database_are_not_started_on),
		cmocka_unit_test(test_a_second_server_is_refused),
		cmocka_unit_test(test_segments_roll_over),
		cmocka_unit_test(test_grants_and_locks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
