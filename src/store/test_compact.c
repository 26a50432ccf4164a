/* SPDX-License-Identifier: ISC */
/* Segments that are emptied: what is live stays readable, what is dead stays dead, even for a rebuild. */
#include "store/backup.h"
#include "store/fixture.h"
#include "store/folder.h"
#include "store/rebuild.h"

enum { MESSAGES = 500, BODY = 4000 };

static bool has_segment(struct fixture *f, unsigned number)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/bodies/%010u", f->path, number);
	return access(path, F_OK) == 0;
}

/* About two segments of mail for alice, the same for carol. Bodies begin with their number. */
static void fill(struct fixture *f)
{
	char body[BODY + 1];

	fixture_configure(f, "store segment 1M\n");
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
	memset(body, 'x', BODY);
	body[BODY] = '\0';
	for (int i = 1; i <= MESSAGES; i++) {
		body[snprintf(body, BODY, "number %d", i)] = '.';
		send_ok(f, "alice@example.org carol@example.org", body);
	}
}

/* All but every tenth. */
static void thin_out(struct fixture *f, const char *user)
{
	struct uid uids[MESSAGES];
	struct box b;

	assert_int_equal(box_open(f, user, true, &b), OK);
	struct mailbox_expunge_request q = {str_from(b.session), b.list.mailbox, uids, 0};
	for (size_t i = 0; i < b.list.entries_n; i++)
		if (b.list.entries[i].uid % 10 != 0)
			uids[q.uids_n++].uid = b.list.entries[i].uid;
	assert_int_equal(store_mailbox_expunge(f->store, "edge-0", &q), OK);
	box_close(f, &b);
}

static void expect_every_tenth(struct fixture *f, const char *user)
{
	struct box b;
	char number[32];

	assert_int_equal(box_open(f, user, false, &b), OK);
	assert_int_equal(b.list.entries_n, MESSAGES / 10);
	for (size_t i = 0; i < b.list.entries_n; i++) {
		assert_int_equal(b.list.entries[i].uid, 10 * (i + 1));
		snprintf(number, sizeof(number), "number %zu.", 10 * (i + 1));
		assert_true(str_contains(box_message(f, &b, i), str_from(number)));
	}
	box_close(f, &b);
}

static void compacts(struct fixture *f)
{
	fill(f);
	thin_out(f, "alice@example.org");
	assert_int_equal(admin_number(f, "store compact", "segments"), 0); /* carol still has all of it */
	thin_out(f, "carol@example.org");
	uint64_t before = admin_number(f, "store stats", "segment-octets");
	assert_true(admin_number(f, "store compact", "segments") >= 1);
	assert_true(admin_number(f, "store stats", "segment-octets") < before / 2 + (1 << 20));
	assert_false(has_segment(f, 1));
	expect_every_tenth(f, "alice@example.org");
	expect_every_tenth(f, "carol@example.org");
	assert_sound(f);
	fixture_close(f);
	fixture_open(f);
	expect_every_tenth(f, "carol@example.org");
	assert_sound(f);
}

static void test_compaction(void **state UNUSED)
{
	fixture_run(compacts);
}

static void lose_database(struct fixture *f)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(unlink(path), 0);
}

static void rebuild(struct fixture *f, struct rebuild_result *r)
{
	fixture_close(f);
	assert_int_equal(rebuild_run(f->path, r), E_EXISTS);
	lose_database(f);
	if (rebuild_run(f->path, r) != OK)
		fail_msg("rebuild: %s", err_info()->text);
	fixture_open(f);
	admin_do(f, "account enable alice@example.org");
	admin_do(f, "account enable carol@example.org");
}

/* What compaction moved and what it dropped is no reason for expunged mail to come back. */
static void rebuild_after_compaction(struct fixture *f)
{
	struct rebuild_result r;

	fill(f);
	thin_out(f, "alice@example.org");
	thin_out(f, "carol@example.org");
	assert_true(admin_number(f, "store compact", "segments") >= 1);
	rebuild(f, &r);
	expect_every_tenth(f, "alice@example.org");
	expect_every_tenth(f, "carol@example.org");
	assert_int_equal(r.accounts, 2);
	assert_int_equal(r.items, 2 * MESSAGES / 10);
	assert_int_equal(r.damaged, 0);
	assert_sound(f);
}

static void test_rebuild_after_compaction(void **state UNUSED)
{
	fixture_run(rebuild_after_compaction);
}

/* The tombstones are in a segment that goes, the messages in one that stays. */
static void tombstones_move(struct fixture *f)
{
	struct rebuild_result r;

	fill(f);
	thin_out(f, "alice@example.org");
	for (int i = 0; i < 3; i++)
		assert_true(admin_number(f, "store compact", "segments") <= 10);
	rebuild(f, &r);
	assert_int_equal(box_count(f, "carol@example.org"), MESSAGES);
	expect_every_tenth(f, "alice@example.org");
	assert_sound(f);
}

static void test_tombstones_are_carried_along(void **state UNUSED)
{
	fixture_run(tombstones_move);
}

/* Who reads many segments keeps their files, not their rows. */
static void locked_out(struct fixture *f)
{
	int folder, lock;

	fill(f);
	thin_out(f, "alice@example.org");
	thin_out(f, "carol@example.org");
	folder = open(f->path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(folder_lock_bodies(folder, false, &lock), OK);
	assert_true(admin_number(f, "store compact", "segments") >= 1);
	assert_true(has_segment(f, 1));
	expect_every_tenth(f, "alice@example.org");
	close(lock);
	close(folder);
	admin_do(f, "store compact");
	assert_false(has_segment(f, 1));
	assert_sound(f);
}

static void test_a_backup_keeps_the_files(void **state UNUSED)
{
	fixture_run(locked_out);
}

/* No segment is being written: the last one was left because it is not as it should be. What compaction writes then is not compacted in the same run, which
 * would never end. */
static void none_is_written(struct fixture *f)
{
	char path[200], body[BODY + 1];
	unsigned last = 1;

	fill(f);
	thin_out(f, "alice@example.org");
	memset(body, 'x', BODY);
	body[BODY] = '\0';
	for (int i = 0; i < MESSAGES; i++) /* more than a segment behind the tombstones, which are needed */
		send_ok(f, "carol@example.org", body);
	fixture_close(f);
	while (has_segment(f, last + 1))
		last++;
	snprintf(path, sizeof(path), "%s/bodies/%010u", f->path, last);
	assert_int_equal(truncate(path, 32 << 20), 0);
	fixture_open(f);
	assert_int_equal(admin_number(f, "store compact", "segments"), 1);
	send_ok(f, "alice@example.org", "number 510.");
	assert_true(admin_number(f, "store compact", "segments") <= last);
	assert_int_equal(box_count(f, "carol@example.org"), 2 * MESSAGES);
	assert_int_equal(box_count(f, "alice@example.org"), MESSAGES / 10 + 1);
	assert_sound(f);
}

static void test_compaction_ends(void **state UNUSED)
{
	fixture_run(none_is_written);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compaction),
		cmocka_unit_test(test_rebuild_after_compaction),
		cmocka_unit_test(test_tombstones_are_carried_along),
		cmocka_unit_test(test_a_backup_keeps_the_files),
		cmocka_unit_test(test_compaction_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
