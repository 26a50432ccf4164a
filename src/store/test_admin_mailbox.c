/* SPDX-License-Identifier: ISC */
/* pombo mailbox list, show, move. */
#include "store/fixture_move.h"

static void fill(struct fixture *f, int n)
{
	start(f);
	for (int i = 0; i < n; i++)
		send_ok(f, ALICE, "x\r\n");
}

static str told(struct fixture *f, const char *words, const char *cell, struct arena *a)
{
	struct admin_reply r;
	BUF(out, 1 << 16);

	if (admin_try(f, words, "", &r, a) != OK)
		fail_msg("%s: %s", words, err_info()->text);
	for (size_t i = 0; i < r.rows_n; i++) {
		const struct cell *c = cell_of(&r.rows[i], cell);

		if (c->is_number)
			buf_printf(&out, "%llu ", (unsigned long long)c->number);
		else
			buf_printf(&out, STR_FMT " ", STR_ARG(c->text));
	}
	return arena_str(a, buf_str(&out));
}

static void tells(struct fixture *f)
{
	ARENA(a, 16 << 20);

	fill(f, 3);
	fixture_change(f, "UPDATE item SET flags = 256 WHERE uid = 2");
	admin_do(f, "mailbox move alice@example.org inbox Work create 2:1");
	assert_str(told(f, "mailbox list alice@example.org", "mailbox", &a), "INBOX Work ");
	assert_str(told(f, "mailbox list alice@example.org", "messages", &a), "1 2 ");
	assert_str(told(f, "mailbox list alice@example.org", "uidnext", &a), "4 3 ");
	assert_str(told(f, "mailbox show alice@example.org Work", "uid", &a), "1 2 ");
	assert_str(told(f, "mailbox show alice@example.org Work", "keywords", &a), " $PomboVerified ");
	assert_str(told(f, "mailbox show alice@example.org INBOX", "sender", &a), "bob@example.com ");
	assert_str(told(f, "mailbox show alice@example.org INBOX", "subject", &a), "hello ");
	assert_str(told(f, "mailbox show alice@example.org INBOX", "message-id", &a), "<m1@example.com> ");
	assert_sound(f);
}

static void test_tells(void **state UNUSED)
{
	fixture_run(tells);
}

static void moves(struct fixture *f)
{
	ARENA(a, 16 << 20);

	fill(f, 8);
	assert_str(told(f, "mailbox move alice@example.org INBOX Junk there 1 3:2 99", "learned", &a),
	           "spam spam spam ");
	assert_str(told(f, "mailbox move alice@example.org INBOX Junk there *", "uid", &a), "8 ");
	assert_str(told(f, "mailbox move alice@example.org INBOX Junk there 7:*,4", "uid", &a), "4 7 ");
	assert_str(told(f, "mailbox move alice@example.org Junk INBOX there all", "new-uid", &a), "9 10 11 12 13 14 ");
	assert_str(told(f, "mailbox move alice@example.org INBOX Junk there 9", "new-uid", &a), "7 ");
	assert_str(told(f, "mailbox move alice@example.org Junk Trash create all", "learned", &a), " ");
	assert_sound(f);
}

static void test_moves(void **state UNUSED)
{
	fixture_run(moves);
}

/* More than a page. */
static void many(struct fixture *f)
{
	fill(f, 1);
	fixture_change(
		f,
		"CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
		" SELECT (SELECT max(id) FROM message) + i AS id, i + 1 AS uid FROM n;"
		"INSERT INTO message SELECT n.id, segment, offset, length, body, 1, received, sender, session, client,"
		" helo, protocol, login, message_id, subject, envid, ret, flags, deliver_by, by_mode, priority"
		" FROM message m, n WHERE m.items = 1;"
		"INSERT INTO item SELECT 1, n.uid, n.id, n.uid, 0, 0, i.size, i.prefix FROM item i, n;"
		"UPDATE mailbox SET uidnext = 1202, messages = 1201, modseq = 1201, octets = 1201 * octets;");
	assert_int_equal(admin_count(f, "mailbox show alice@example.org INBOX"), 1201);
	assert_int_equal(admin_count(f, "mailbox move alice@example.org INBOX Work create 2:*"), 1200);
	expect_lines(f, "SELECT messages || ' ' || uidnext FROM mailbox ORDER BY id", "1 1202\n1200 1201\n");
	expect_lines(f,
	             "SELECT count(*) FROM item i JOIN item j ON j.mailbox = i.mailbox AND j.uid < i.uid AND j.message "
	             "> i.message",
	             "0\n");
}

static void test_many(void **state UNUSED)
{
	fixture_run(many);
}

static void refused(struct fixture *f)
{
	fill(f, 2);
	assert_int_equal(admin_result(f, "mailbox list"), E_SYNTAX);
	assert_int_equal(admin_result(f, "mailbox list nobody@example.org"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "mailbox show alice@example.org Work"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "mailbox show alice@example.org /"), E_SYNTAX);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org INBOX Work there 1"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org INBOX Work maybe 1"), E_SYNTAX);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org INBOX a//b create 1"), E_SYNTAX);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org INBOX INBOX there 1"), E_SYNTAX);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org Work INBOX there 1"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org INBOX Junk there 7"), E_NOT_FOUND);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org INBOX Junk there 1 0"), E_SYNTAX);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org INBOX Junk there 1:x"), E_SYNTAX);
	assert_int_equal(admin_result(f, "mailbox move alice@example.org INBOX Junk there"), E_SYNTAX);
	assert_int_equal(box_count(f, ALICE), 2);
	assert_sound(f);
}

static void test_refused(void **state UNUSED)
{
	fixture_run(refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tells),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
