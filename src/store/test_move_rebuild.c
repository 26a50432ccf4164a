/* SPDX-License-Identifier: ISC */
/* Messages that moved, in what compaction writes and a rebuild reads: where they were last, once. */
#include "store/backup.h"
#include "store/envelope.h"
#include "store/expunge.h"
#include "store/fixture_move.h"
#include "store/folder.h"
#include "store/rebuild_place.h"

enum { BIG = 1100 << 10, SEEDS = 3 }; /* BIG: fills a segment */

#define ITEMS                                                                                                   \
	"SELECT m.name || ' ' || i.uid || ' ' || i.flags FROM item i JOIN mailbox m ON m.id = i.mailbox WHERE " \
	"m.account = 1 ORDER BY m.name, i.uid"
#define QUEUE \
	"SELECT state || ' ' || destination || ' ' || (due >= 4611686018427387904) FROM queue ORDER BY message, rcpt"

static char big[BIG + 1];

/* The next message is in a new segment. What is sent here goes to bob. */
static void next_segment(struct fixture *f)
{
	memset(big, 'x', BIG);
	send_ok(f, "bob@example.org", big);
}

static void fill(struct fixture *f, int n)
{
	char body[64];

	fixture_configure(f, "store segment 1M\n");
	start(f);
	admin_do(f, "account add bob@example.org");
	for (int i = 1; i <= n; i++) {
		snprintf(body, sizeof(body), "number %d\r\n", i);
		send_ok(f, ALICE, body);
	}
}

static void delete_bobs(struct fixture *f)
{
	struct box b;

	assert_int_equal(box_open(f, "bob@example.org", true, &b), OK);
	for (size_t i = 0; i < b.list.entries_n; i++)
		assert_int_equal(box_expunge(f, &b, b.list.entries[i].uid), OK);
	box_close(f, &b);
}

static void rebuild(struct fixture *f)
{
	struct rebuild_result r = fixture_rebuild(f);

	assert_int_equal(r.damaged, 0);
	assert_sound(f);
}

static void expect_items(struct fixture *f, const char *expected)
{
	expect_lines(f, ITEMS, expected);
}

/* --- from the records of the moves --- */

static void moved(struct fixture *f)
{
	fill(f, 4);
	move_to(f, "INBOX", "Junk", "1 2");
	move_to(f, "Junk", "Work", "2");
	move_to(f, "INBOX", "INBOX", "3");
	move_to(f, "INBOX", "Junk", "4");
	const struct uid uid = {3};
	assert_int_equal(expunge(f->store, box_id(f, ALICE, "Junk"), &uid, 1), OK);
	expect_items(f, "INBOX 5 0\nJunk 1 0\nWork 1 0\n");
	rebuild(f);
	expect_items(f, "INBOX 5 0\nJunk 1 0\nWork 1 0\n");
	/* Uids go on far behind those that were given out. */
	move_to(f, "Work", "Junk", "1");
	expect_lines(f,
	             "SELECT count(*) FROM item i JOIN mailbox m ON m.id = i.mailbox WHERE m.name = 'Junk' AND i.uid > "
	             "1000000",
	             "1\n");
	assert_sound(f);
}

static void test_moved(void **state UNUSED)
{
	fixture_run(moved);
}

/* --- from copies --- */

static void compacted(struct fixture *f)
{
	fill(f, 3);
	next_segment(f);
	move_to(f, "INBOX", "Junk", "1 2");
	move_to(f, "Junk", "Work", "1");
	fixture_change(f, "UPDATE item SET flags = 3 WHERE mailbox = 1");
	next_segment(f);
	delete_bobs(f);
	next_segment(f);
	for (int i = 0; i < 2; i++) {
		assert_true(admin_number(f, "store compact", "segments") >= 1);
		assert_sound(f);
		expect_items(f, "INBOX 3 3\nJunk 2 0\nWork 1 0\n");
		delete_bobs(f);
		next_segment(f);
	}
	rebuild(f);
	expect_items(f, "INBOX 3 3\nJunk 2 0\nWork 1 0\n");
}

static void test_compacted(void **state UNUSED)
{
	fixture_run(compacted);
}

/* The original's file is still there, because of a backup, when the copy of what moved since is read. */
static void both_copies(struct fixture *f)
{
	int folder, lock;

	fill(f, 3);
	next_segment(f);
	move_to(f, "INBOX", "Junk", "1");
	delete_bobs(f);
	next_segment(f);
	folder = open(f->path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(folder_lock_bodies(folder, false, &lock), OK);
	assert_true(admin_number(f, "store compact", "segments") >= 1);
	move_to(f, "Junk", "Work", "1");
	const struct uid uid = {2};
	assert_int_equal(expunge(f->store, 1, &uid, 1), OK);
	rebuild(f);
	close(lock);
	close(folder);
	expect_items(f, "INBOX 3 0\nWork 1 0\n");
}

static void test_both_copies(void **state UNUSED)
{
	fixture_run(both_copies);
}

/* --- while compaction is at it --- */

static void compact_it(void *arg)
{
	admin_do(arg, "store compact");
}

static void move_first(void *arg)
{
	assert_int_equal(move_to(arg, "INBOX", "Junk", "1"), 1);
}

/* What was read before the move is written after it. */
static void overtaken(struct fixture *f)
{
	fill(f, 2);
	box_id(f, ALICE, "Junk");
	next_segment(f);
	delete_bobs(f);
	next_segment(f);
	size_t before = rt_count();
	gate_close(f);
	behind_gate(move_first, f);
	behind_gate(compact_it, f);
	gate_open(before);
	expect_items(f, "INBOX 2 0\nJunk 1 0\n");
	assert_sound(f);
	rebuild(f);
	expect_items(f, "INBOX 2 0\nJunk 1 0\n");
}

static void test_overtaken(void **state UNUSED)
{
	fixture_run(overtaken);
}

static err flags_apply(struct writer *w, struct job *job UNUSED)
{
	return db_script(writer_db(w), "UPDATE item SET flags = 3 WHERE mailbox = 1 AND uid = 1");
}

static void set_flags(void *arg)
{
	static const struct job_kind kind = {.apply = flags_apply};
	struct fixture *f = arg;
	struct job job = {.kind = &kind};

	assert_int_equal(writer_do(f->store->writer, &job), OK);
}

/* A change that waits together with the copy is in it, or comes after it: no record tells of flags. */
static void flags_overtake(struct fixture *f)
{
	fill(f, 1);
	next_segment(f);
	delete_bobs(f);
	next_segment(f);
	size_t before = rt_count();
	gate_close(f);
	behind_gate(set_flags, f);
	behind_gate(compact_it, f);
	gate_open(before);
	assert_true(admin_number(f, "store stats", "segments") <= 2);
	rebuild(f);
	expect_items(f, "INBOX 1 3\n");
}

static void test_flags_overtake(void **state UNUSED)
{
	fixture_run(flags_overtake);
}

/* --- released from quarantine --- */

static uint64_t quarantine(struct fixture *f)
{
	struct judgement j = {.findings = STR("decision quarantine - 5.5 more than 5 points\n")};
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "carol@example.com",
	                    .body = "x\r\n",
	                    .rcpts = "dave@example.com",
	                    .judgement = &j,
	                    .dispositions = {DISPOSITION_QUARANTINE}};

	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.codes[0], OK);
	return m.id;
}

static void fill_quarantine(struct fixture *f)
{
	fixture_configure(f, "store segment 1M\nrelay-from 192.0.2.0/24\n");
	start(f);
	admin_do(f, "account add bob@example.org");
	quarantine(f);
	next_segment(f);
	delete_bobs(f);
	next_segment(f);
	expect_lines(f, QUEUE, "3 example.com 1\n");
}

static void release_it(void *arg)
{
	admin_do(arg, "quarantine release all");
}

static void released_meanwhile(struct fixture *f)
{
	fill_quarantine(f);
	size_t before = rt_count();
	gate_close(f);
	behind_gate(release_it, f);
	behind_gate(compact_it, f);
	gate_open(before);
	expect_lines(f, QUEUE, "0 example.com 0\n");
	rebuild(f);
	expect_lines(f, QUEUE, "1 example.com 1\n");
}

static void test_released_meanwhile(void **state UNUSED)
{
	fixture_run(released_meanwhile);
}

/* The original, which says "quarantined", is there still. */
static void released_before(struct fixture *f)
{
	int folder, lock;

	fill_quarantine(f);
	admin_do(f, "quarantine release all");
	folder = open(f->path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(folder_lock_bodies(folder, false, &lock), OK);
	assert_true(admin_number(f, "store compact", "segments") >= 1);
	rebuild(f);
	close(lock);
	close(folder);
	expect_lines(f, QUEUE, "1 example.com 1\n");
}

static void test_released_before(void **state UNUSED)
{
	fixture_run(released_before);
}

/* --- anything, in any order --- */

#define EVERYTHING                                                                                               \
	"SELECT m.name || ' ' || i.uid || ' ' || i.flags || ' ' || i.message || ' ' || i.size FROM item i JOIN " \
	"mailbox m "                                                                                             \
	"ON m.id = i.mailbox WHERE m.account = 1 ORDER BY m.name, i.uid"

static unsigned dice;

static unsigned throw(unsigned sides)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 16) % sides;
}

/* One that is there, of any mailbox. */
static bool pick(struct fixture *f, struct item_place *at)
{
	struct query q = db_query(f->store->db, "SELECT i.mailbox, i.uid FROM item i JOIN mailbox m ON m.id = i.mailbox"
	                                        " WHERE m.account = 1 ORDER BY (i.uid * 7919 + ?) % 101 LIMIT 1");

	query_put_num(&q, throw(101));
	bool found = query_row(&q);
	if (found) {
		at->mailbox = query_num(&q);
		at->uid = query_num(&q);
	}
	assert_int_equal(query_end(&q), OK);
	return found;
}

static void move_any(struct fixture *f)
{
	static const char *const boxes[] = {"INBOX", "Junk", "Work"};
	struct item_place at;
	ARENA(a, 1 << 20);

	if (!pick(f, &at))
		return;
	struct move m = {.account = 1,
	                 .from = at.mailbox,
	                 .to = box_id(f, ALICE, boxes[throw(ARRAY_LEN(boxes))]),
	                 .uids = &at.uid,
	                 .n = 1,
	                 .by = STR("a test")};
	assert_int_equal(store_move(f->store, &m, &a), OK);
	assert_int_equal(m.moved_n, 1);
}

static void expunge_any(struct fixture *f)
{
	struct item_place at;

	if (!pick(f, &at))
		return;
	const struct uid uid = {at.uid};
	assert_int_equal(expunge(f->store, at.mailbox, &uid, 1), OK);
}

/* `locked`: the files that are emptied stay. */
static void compact_any(struct fixture *f, bool locked)
{
	int folder = open(f->path, O_RDONLY | O_DIRECTORY), lock;

	assert_int_equal(folder_lock_bodies(folder, false, &lock), OK);
	if (!locked)
		close(lock);
	admin_do(f, "store compact");
	if (locked)
		close(lock);
	close(folder);
}

static void do_any(struct fixture *f)
{
	unsigned what = throw(100);

	if (what < 22)
		send_ok(f, ALICE, "small\r\n");
	else if (what < 26)
		send_ok(f, ALICE, big); /* a segment of its own, of which nothing is dead */
	else if (what < 70)
		move_any(f);
	else if (what < 78)
		expunge_any(f);
	else if (what < 90)
		next_segment(f);
	else if (what < 94)
		delete_bobs(f);
	else
		compact_any(f, what < 97);
}

static void random_run(struct fixture *f)
{
	fill(f, 3);
	memset(big, 'x', BIG);
	for (int n = 0; n < 4; n++) {
		ARENA(a, 8 << 20);

		for (int i = 0; i < 60; i++)
			do_any(f);
		assert_sound(f);
		str before = fixture_lines(f, EVERYTHING, &a);
		rebuild(f);
		str after = fixture_lines(f, EVERYTHING, &a);
		if (!str_equal(before, after))
			fail_msg("before:\n" STR_FMT "after:\n" STR_FMT, STR_ARG(before), STR_ARG(after));
	}
}

static void test_random(void **state UNUSED)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		dice = seed;
		fixture_run(random_run);
	}
}

/* --- records in another order than they were written in --- */

static void place_db(struct fixture *f, struct db **db)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/places.db", f->path);
	assert_int_equal(db_open(path, DB_SCRATCH, db), OK);
	assert_int_equal(schema_apply(*db), OK);
	assert_int_equal(db_script(*db,
	                           "INSERT INTO item (mailbox, uid, message, modseq, received, size, prefix)"
	                           " VALUES (1, 1, 10, 1, 0, 0, ''), (1, 2, 11, 1, 0, 0, ''), (2, 9, 12, 1, 0, 0, '');"
	                           "INSERT INTO ledger (message, rcpt, side, kind, at, mailbox, uid)"
	                           " VALUES (10, 0, 1, 1, 0, 1, 1), (11, 0, 1, 1, 0, 1, 2), (12, 0, 1, 1, 0, 2, 9)"),
	                 OK);
	assert_int_equal(places_begin(*db), OK);
}

static void note_move(struct db *db, uint64_t message, struct item_place from, struct item_place to)
{
	struct moved item = {.message = message, .from_uid = from.uid, .uid = to.uid, .modseq = 5};
	struct moves m = {.from = from.mailbox, .mailbox = to.mailbox, .items = &item, .items_n = 1};

	assert_int_equal(places_note_moves(db, &m), OK);
}

static void expect_place(struct db *db, uint64_t message, uint64_t mailbox, uint64_t uid)
{
	struct query q =
		db_query(db, "SELECT i.mailbox * 1000 + i.uid FROM item i JOIN ledger l ON l.mailbox = i.mailbox"
	                     " AND l.uid = i.uid AND l.message = i.message WHERE i.message = ?");
	uint64_t place = 0;

	query_put_num(&q, message);
	assert_int_equal(query_one(&q, &place, NULL), OK);
	assert_int_equal(place, mailbox * 1000 + uid);
}

static void any_order(struct fixture *f)
{
	struct tombstone gone = {.message = 11, .mailbox = 2, .uid = 7};
	const struct tombstones t = {.items = &gone, .items_n = 1};
	struct db *db;

	place_db(f, &db);
	/* 10: 1.1 -> 2.5 -> 1.8 -> 3.1, noted backwards; 11: 1.2 -> 2.7, gone there, the tombstone first. */
	assert_int_equal(places_note_tombstones(db, &t), OK);
	note_move(db, 10, (struct item_place){1, 8}, (struct item_place){3, 1});
	note_move(db, 10, (struct item_place){2, 5}, (struct item_place){1, 8});
	note_move(db, 10, (struct item_place){1, 1}, (struct item_place){2, 5});
	note_move(db, 11, (struct item_place){1, 2}, (struct item_place){2, 7});
	/* 12: the first attempt's batch failed, and its uid went to another message. */
	note_move(db, 12, (struct item_place){2, 9}, (struct item_place){3, 1});
	note_move(db, 12, (struct item_place){2, 9}, (struct item_place){3, 2});
	/* Round and round. */
	note_move(db, 12, (struct item_place){3, 2}, (struct item_place){2, 9});
	assert_int_equal(places_settle(db), OK);
	expect_place(db, 10, 3, 1);
	expect_place(db, 11, 0, 0);
	expect_place(db, 12, 2, 9);
	db_close(db);
}

static void test_any_order(void **state UNUSED)
{
	fixture_run(any_order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moved),           cmocka_unit_test(test_compacted),
		cmocka_unit_test(test_both_copies),     cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_flags_overtake),  cmocka_unit_test(test_released_meanwhile),
		cmocka_unit_test(test_released_before), cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
