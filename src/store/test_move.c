/* SPDX-License-Identifier: ISC */
/* Messages that go from a mailbox to another one, what that teaches, and what others who use the mailboxes see of it. */
#include "store/expunge.h"
#include "store/fixture_move.h"
#include "store/lesson.h"

#define BOXES                                                                                                        \
	"SELECT name || ' ' || messages || ' ' || uidnext || ' ' || modseq FROM mailbox WHERE account = 1 ORDER BY " \
	"name"
#define ITEMS                                                                                                      \
	"SELECT m.name || ' ' || i.uid || ' ' || i.modseq || ' ' || i.flags FROM item i JOIN mailbox m ON m.id = " \
	"i.mailbox ORDER BY m.name, i.uid"
#define CHANGES                                                                                                     \
	"SELECT m.name || ' ' || c.modseq || ' ' || c.uid || ' ' || c.what FROM change c JOIN mailbox m ON m.id = " \
	"c.mailbox ORDER BY m.name, c.modseq"
#define LESSONS "SELECT account || ' ' || spam || ' ' || learned FROM lesson ORDER BY account, digest"
#define LEARNED "SELECT account || ' ' || good || ' ' || bad FROM learned ORDER BY account"

/* `n` messages in alice's INBOX; bodies "number 1" and so on. */
static void fill(struct fixture *f, int n)
{
	char body[64];

	start(f);
	for (int i = 1; i <= n; i++) {
		snprintf(body, sizeof(body), "Subject: x\r\n\r\nnumber %d\r\n", i);
		send_ok(f, ALICE, body);
	}
}

/* --- the rows --- */

static void rows(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct move m;

	fill(f, 4);
	fixture_change(f, "UPDATE item SET flags = 257 WHERE uid = 3; UPDATE item SET received = 77 WHERE uid = 1");
	uint64_t octets = admin_number(f, "store stats", "octets");
	/* In the order of the old uids, each once; what is not there is passed over. */
	assert_int_equal(move_try(f, ALICE, "INBOX", "Work", "3 1 9 3", &m, &a), OK);
	assert_int_equal(m.moved_n, 2);
	assert_int_equal(m.moved[0].from_uid, 1);
	assert_int_equal(m.moved[0].uid, 1);
	assert_int_equal(m.moved[1].from_uid, 3);
	assert_int_equal(m.moved[1].uid, 2);
	assert_true(m.uidvalidity > 0 && m.moved[0].message < m.moved[1].message);
	assert_int_equal(m.lesson, MOVE_TEACHES_NOTHING);
	expect_lines(f, BOXES, "INBOX 2 5 6\nWork 2 3 2\n");
	expect_lines(f, ITEMS, "INBOX 2 2 0\nINBOX 4 4 0\nWork 1 1 0\nWork 2 2 257\n");
	expect_lines(f, CHANGES,
	             "INBOX 1 1 0\nINBOX 2 2 0\nINBOX 3 3 0\nINBOX 4 4 0\nINBOX 5 1 1\nINBOX 6 3 1\n"
	             "Work 1 1 0\nWork 2 2 0\n");
	expect_lines(f, "SELECT received FROM item WHERE mailbox = 2 AND uid = 1", "77\n");
	expect_lines(f, "SELECT count(*) FROM lesson", "0\n");
	expect_lines(f, "SELECT mailbox || ' ' || uid FROM ledger WHERE side = 1", "2 1\n1 2\n2 2\n1 4\n");
	assert_int_equal(admin_number(f, "store stats", "octets"), octets);
	assert_int_equal(admin_number(f, "balance", "mailbox"), 4);
	assert_sound(f);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(move_to(f, "Work", "INBOX", "1 2"), 2);
	expect_lines(f, BOXES, "INBOX 4 7 8\nWork 0 3 4\n");
	assert_int_equal(box_count(f, ALICE), 4);
	assert_sound(f);
}

static void test_rows(void **state UNUSED)
{
	fixture_run(rows);
}

static void same_mailbox(struct fixture *f)
{
	fill(f, 3);
	assert_int_equal(move_to(f, "INBOX", "INBOX", "1 2"), 2);
	expect_lines(f, ITEMS, "INBOX 3 3 0\nINBOX 4 4 0\nINBOX 5 6 0\n");
	expect_lines(f, BOXES, "INBOX 3 6 7\n");
	expect_lines(f, CHANGES,
	             "INBOX 1 1 0\nINBOX 2 2 0\nINBOX 3 3 0\nINBOX 4 4 0\nINBOX 5 1 1\nINBOX 6 5 0\nINBOX 7 2 1\n");
	assert_sound(f);
}

static void test_same_mailbox(void **state UNUSED)
{
	fixture_run(same_mailbox);
}

static void refused(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct move m;
	uint64_t many[MOVE_MAX + 1] = {1};

	fill(f, 1);
	admin_do(f, "account add carol@example.org");
	assert_int_equal(move_to(f, "INBOX", "Work", ""), 0);
	assert_int_equal(move_to(f, "INBOX", "Work", "2"), 0);
	m = (struct move){.account = 1, .from = 1, .to = 999, .uids = many, .n = 1};
	assert_int_equal(store_move(f->store, &m, &a), E_NOT_FOUND);
	m.to = box_id(f, "carol@example.org", "INBOX"); /* another account's */
	assert_int_equal(store_move(f->store, &m, &a), E_NOT_FOUND);
	m.account = 2;
	assert_int_equal(store_move(f->store, &m, &a), E_NOT_FOUND);
	m = (struct move){.account = 1, .from = 1, .to = 1, .uids = many, .n = MOVE_MAX + 1};
	assert_int_equal(store_move(f->store, &m, &a), E_LIMIT);
	assert_int_equal(box_count(f, ALICE), 1);
	assert_sound(f);
}

static void test_refused(void **state UNUSED)
{
	fixture_run(refused);
}

/* Two recipients, one item: an alias of the same account. */
static void shared_item(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "alias add a@example.org alice@example.org");
	send_ok(f, "alice@example.org a@example.org", "x\r\n");
	assert_int_equal(move_to(f, "INBOX", "Work", "1"), 1);
	expect_lines(f, "SELECT mailbox || ' ' || uid FROM ledger WHERE side = 1", "2 1\n2 1\n");
	expect_lines(f, "SELECT items FROM message", "1\n");
	assert_int_equal(admin_number(f, "balance", "mailbox"), 2);
	assert_sound(f);
}

static void test_shared_item(void **state UNUSED)
{
	fixture_run(shared_item);
}

/* --- several in one batch --- */

struct mover {
	struct fixture *f;
	const char *from, *to, *uids;
	size_t moved;
};

static void move_it(void *arg)
{
	struct mover *x = arg;

	x->moved = move_to(x->f, x->from, x->to, x->uids);
}

static void expunge_it(void *arg)
{
	const struct mover *x = arg;
	const struct uid uids[] = {{1}, {2}};

	assert_int_equal(expunge(x->f->store, 1, uids, ARRAY_LEN(uids)), OK);
}

/* Who comes first has it; the other one finds it gone. */
static void one_batch(struct fixture *f)
{
	struct mover first = {f, "INBOX", "Work", "1 3", 0}, second = {f, "INBOX", "Trash", "1 2 4", 0},
		     third = {f, "INBOX", "INBOX", "4 5", 0};

	fill(f, 5);
	box_id(f, ALICE, "Work");
	box_id(f, ALICE, "Trash");
	size_t before = rt_count();
	gate_close(f);
	behind_gate(move_it, &first);
	behind_gate(expunge_it, &first);
	behind_gate(move_it, &second);
	behind_gate(move_it, &third);
	gate_open(before);
	assert_int_equal(first.moved, 2);
	assert_int_equal(second.moved, 1);
	assert_int_equal(third.moved, 1);
	expect_lines(f, ITEMS, "INBOX 6 9 0\nTrash 1 1 0\nWork 1 1 0\nWork 2 2 0\n");
	assert_sound(f);
}

static void test_one_batch(void **state UNUSED)
{
	fixture_run(one_batch);
}

/* --- what it teaches --- */

static str letter(char c, struct arena *a)
{
	const uint64_t hash = (uint64_t)(unsigned char)c | 0x8000000000000000;

	return arena_str(a, str_make((const char *)&hash, sizeof(hash)));
}

static void learn_all(struct fixture *f)
{
	ARENA(a, 16 << 20);
	struct lesson_request q = {.tokens = letter('a', &a)};

	do {
		struct lesson_reply r = {0};

		assert_int_equal(store_lesson(f->store, "filter-0", &q, &r, &a), OK);
		q.done = r.lesson;
	} while (q.done != 0);
}

static void lessons(struct fixture *f)
{
	fill(f, 2);
	assert_int_equal(move_to(f, "INBOX", "Junk", "1"), 1);
	expect_lines(f, LESSONS, "0 1 0\n1 1 0\n");
	learn_all(f);
	expect_lines(f, LEARNED, "0 0 1\n1 0 1\n");
	/* To Trash and back to Junk says nothing. */
	move_to(f, "Junk", "Trash", "1");
	move_to(f, "Trash", "Junk", "1");
	expect_lines(f, LESSONS, "0 1 2\n1 1 2\n");
	/* Out of Junk: the first lesson is taken back. */
	move_to(f, "Junk", "INBOX", "2");
	expect_lines(f, LESSONS, "0 0 2\n1 0 2\n");
	learn_all(f);
	expect_lines(f, LEARNED, "0 1 0\n1 1 0\n");
	expect_lines(f, "SELECT account || ' ' || good || ' ' || bad FROM token ORDER BY account", "0 1 0\n1 1 0\n");
	/* And again, before anybody could learn: as though nothing had happened. */
	move_to(f, "INBOX", "Junk", "3");
	move_to(f, "Junk", "INBOX", "3");
	learn_all(f);
	expect_lines(f, LEARNED, "0 1 0\n1 1 0\n");
	/* Between others nothing is learned, nor when it is not wanted. */
	move_to(f, "INBOX", "Work", "2");
	fixture_configure(f, "spam learn-moves no\n");
	move_to(f, "Work", "Junk", "1");
	expect_lines(f, LESSONS, "0 0 1\n1 0 1\n");
	assert_sound(f);
}

static void test_lessons(void **state UNUSED)
{
	fixture_run(lessons);
}

/* The same message twice is one lesson; who moved it is told. */
static void same_content(struct fixture *f)
{
	ARENA(a, 16 << 20);

	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	send_ok(f, ALICE, "Subject: cheap\r\n\r\nx\r\n");
	send_ok(f, ALICE, "Subject: cheap\r\n\r\nx\r\n");
	assert_int_equal(move_to(f, "INBOX", "Junk", "1 2"), 2);
	expect_lines(f, LESSONS, "0 1 0\n1 1 0\n");
	str detail = fixture_lines(f, "SELECT detail FROM ledger WHERE side = 1 AND uid = 1", &a);
	assert_true(str_starts(detail, STR("moved from INBOX by a test at 2")));
	assert_true(str_ends(detail, STR("; learned as spam\n")));
	assert_sound(f);
}

static void test_same_content(void **state UNUSED)
{
	fixture_run(same_content);
}

/* --- who has it open --- */

/* A session keeps its list; what was moved away is gone to it, and nothing is deleted that it did not see. */
static void open_mailbox(struct fixture *f)
{
	struct mailbox_read_reply r;
	struct box b;

	fill(f, 3);
	assert_int_equal(box_open(f, ALICE, true, &b), OK);
	assert_int_equal(move_to(f, "INBOX", "Junk", "2"), 1);
	assert_int_equal(b.list.entries_n, 3);
	assert_int_equal(box_read(f, &b, 2, 0, 100, &r), E_NOT_FOUND);
	assert_true(str_ends(box_message(f, &b, 2), STR("number 3\r\n")));
	assert_int_equal(box_expunge(f, &b, 2), OK);
	assert_int_equal(box_expunge(f, &b, 1), OK);
	box_close(f, &b);
	assert_int_equal(box_count(f, ALICE), 1);
	expect_lines(f, BOXES, "INBOX 1 4 5\nJunk 1 2 1\n");
	assert_sound(f);
}

static void test_open_mailbox(void **state UNUSED)
{
	fixture_run(open_mailbox);
}

/* --- a mailbox never outlives its account --- */

static err remove_apply(struct writer *w, struct job *job UNUSED)
{
	return db_script(writer_db(w), "DELETE FROM mailbox WHERE account = 2; DELETE FROM account WHERE id = 2");
}

static void remove_account(void *arg)
{
	static const struct job_kind kind = {.apply = remove_apply, .alone = true};
	const struct fixture *f = arg;
	struct job job = {.kind = &kind};

	assert_int_equal(writer_do(f->store->writer, &job), OK);
}

static void send_junk(void *arg)
{
	struct judgement j = {.findings = STR("decision junk - 5.5 more than 5 points\n")};
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "x\r\n",
	                    .rcpts = "carol@example.org",
	                    .judgement = &j,
	                    .dispositions = {DISPOSITION_JUNK}};

	if (send_mail(arg, &m) == OK)
		assert_int_not_equal(m.codes[0], OK);
}

static void orphan(struct fixture *f)
{
	fill(f, 1);
	admin_do(f, "account add carol@example.org");
	size_t before = rt_count();
	gate_close(f);
	behind_gate(remove_account, f);
	behind_gate(send_junk, f);
	gate_open(before);
	expect_lines(f, "SELECT account || ' ' || name FROM mailbox", "1 INBOX\n");
	uint64_t id = 0;
	assert_int_equal(mailbox_ensure(f->store, 2, STR("Junk"), &id), E_NOT_FOUND);
	assert_int_equal(id, 0);
	assert_sound(f);
}

static void test_no_orphans(void **state UNUSED)
{
	fixture_run(orphan);
}

static void test_names(void **state UNUSED)
{
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", "a*", "%", "a\x01", "\xff"};
	char longest[MAILBOX_NAME_MAX + 1];
	str out;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(mailbox_name_check(str_from(bad[i]), &out), E_SYNTAX);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(mailbox_name_check(str_make(longest, sizeof(longest)), &out), E_SYNTAX);
	assert_int_equal(mailbox_name_check(str_make(longest, sizeof(longest) - 1), &out), OK);
	assert_int_equal(mailbox_name_check(STR("iNbOx"), &out), OK);
	assert_str(out, "INBOX");
	assert_int_equal(mailbox_name_check(STR("Entw\xc3\xbcrfe/alte"), &out), OK);
	assert_str(out, "Entw\xc3\xbcrfe/alte");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),         cmocka_unit_test(test_same_mailbox),
		cmocka_unit_test(test_refused),      cmocka_unit_test(test_shared_item),
		cmocka_unit_test(test_one_batch),    cmocka_unit_test(test_lessons),
		cmocka_unit_test(test_same_content), cmocka_unit_test(test_open_mailbox),
		cmocka_unit_test(test_no_orphans),   cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
