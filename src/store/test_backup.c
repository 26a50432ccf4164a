/* SPDX-License-Identifier: ISC */
/* Backup, restore, rebuild. */
#include "store/backup.h"
#include "store/fixture.h"
#include "store/rebuild.h"

static void start(struct fixture *f)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "account add carol@example.org");
	admin_do(f, "alias add team@example.org alice@example.org carol@example.org");
	send_ok(f, "team@example.org", "one\r\n");
	send_ok(f, "alice@example.org", "two\r\n");
}

static void other_path(struct fixture *f, const char *name, char out[200])
{
	snprintf(out, 200, "%s.other", f->path);
	(void)mkdir(out, 0700);
	snprintf(out, 200, "%s.other/%s", f->path, name);
}

/* What alice has: the last words of her messages. */
static void expect_alice(struct fixture *f, size_t n, const char *last)
{
	struct box b;

	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries_n, n);
	assert_true(str_ends(box_message(f, &b, n - 1), str_from(last)));
	box_close(f, &b);
}

/* --- backup and restore --- */

static void make_backup(struct fixture *f, char backup[200])
{
	struct backup_result r;

	start(f);
	other_path(f, "backup", backup);
	if (backup_run(f->path, backup, &r) != OK)
		fail_msg("backup: %s", err_info()->text);
	assert_int_equal(r.segments, 1);
	assert_true(r.octets > 4096);
}

static void there_and_back(struct fixture *f)
{
	struct backup_result r;
	char backup[200], place[200];
	struct box b;

	make_backup(f, backup);
	send_ok(f, "alice@example.org", "after the backup\r\n");
	assert_int_equal(backup_run(f->path, backup, &r), E_EXISTS);
	assert_int_equal(restore_run(backup, f->path, &r), E_EXISTS);
	fixture_close(f);
	other_path(f, "place", place);
	if (restore_run(backup, place, &r) != OK)
		fail_msg("restore: %s", err_info()->text);
	snprintf(f->path, sizeof(f->path), "%.120s", place);
	fixture_open(f);
	expect_alice(f, 2, "two\r\n");
	assert_int_equal(admin_count(f, "alias list"), 2);
	assert_sound(f);
	/* the uid of the message that was lost is not used again */
	send_ok(f, "alice@example.org", "three\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries[2].uid, 3 + BACKUP_UID_GAP);
	box_close(f, &b);
	fixture_close(f);
	f->path[strlen(f->path) - strlen(".other/place")] = '\0';
}

static void test_backup_and_restore(void **state UNUSED)
{
	fixture_run(there_and_back);
}

static void change_file(const char *folder, const char *name)
{
	char path[300], c;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, 100), 1);
	c = (char)(c + 1);
	assert_int_equal(pwrite(fd, &c, 1, 100), 1);
	close(fd);
}

static void changed_backup(struct fixture *f)
{
	struct backup_result r;
	struct store *s;
	char backup[200], place[200];

	make_backup(f, backup);
	change_file(backup, "bodies/0000000001");
	other_path(f, "place", place);
	assert_int_equal(restore_run(backup, place, &r), E_SYNTAX);
	other_path(f, "nothing", place);
	assert_int_equal(restore_run(place, f->path, &r), E_NOT_FOUND);
	other_path(f, "place", place);
	assert_int_equal(store_open(place, f->config, &s), E_IO); /* half a restore is no store */
}

static void test_a_changed_backup_is_refused(void **state UNUSED)
{
	fixture_run(changed_backup);
}

static void changed_database(struct fixture *f)
{
	struct backup_result r;
	struct store *s;
	char backup[200], place[200];

	make_backup(f, backup);
	change_file(backup, "pombo.db");
	other_path(f, "place", place);
	assert_int_equal(restore_run(backup, place, &r), E_SYNTAX);
	assert_int_equal(store_open(place, f->config, &s), E_IO);
}

static void test_a_changed_database_is_not_left_behind(void **state UNUSED)
{
	fixture_run(changed_database);
}

/* --- rebuild --- */

static void rebuild(struct fixture *f, struct rebuild_result *r)
{
	char path[200];

	assert_int_equal(rebuild_run(f->path, r), E_BUSY);
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(unlink(path), 0);
	if (rebuild_run(f->path, r) != OK)
		fail_msg("rebuild: %s", err_info()->text);
	fixture_open(f);
}

static void rebuilt(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct rebuild_result r;
	struct box b;

	start(f);
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	uint64_t validity = b.list.uidvalidity;
	assert_int_equal(box_expunge(f, &b, 1), OK);
	str message = arena_str(&a, box_message(f, &b, 1));
	box_close(f, &b);
	rebuild(f, &r);
	assert_int_equal(r.messages, 2);
	assert_int_equal(r.items, 2);
	assert_int_equal(r.accounts, 2);
	assert_sound(f);
	assert_int_equal(admin_number(f, "balance", "accepted"), 3);
	/* accounts take mail again, and have no password: nobody can log in */
	struct credential_request q = {.user = STR("alice@example.org")};
	struct credential_reply credential = {0};
	assert_int_equal(store_credential(f->store, &q, &credential, &a), OK);
	assert_int_equal(credential.disabled, 0);
	assert_int_equal(credential.credentials_n, 0);
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.uidvalidity, validity);
	assert_int_equal(b.list.entries_n, 1);
	assert_int_equal(b.list.entries[0].uid, 2);
	assert_true(str_equal(box_message(f, &b, 0), message));
	box_close(f, &b);
	send_ok(f, "alice@example.org", "three\r\n");
	expect_alice(f, 2, "three\r\n");
	assert_sound(f);
}

static void test_rebuild(void **state UNUSED)
{
	fixture_run(rebuilt);
}

/* What a COMMIT that failed leaves: the record stays, the row never was, and the uid is given out again. */
static void forget_message(struct fixture *f)
{
	char path[200];
	struct db *db;

	fixture_close(f);
	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(db_open(path, DB_WRITE, &db), OK);
	assert_int_equal(db_script(db, "DELETE FROM item; DELETE FROM message; DELETE FROM ledger; DELETE FROM change;"
	                               "UPDATE mailbox SET uidnext = 1, modseq = 0, messages = 0, octets = 0;"
	                               "UPDATE segment SET live = 0"),
	                 OK);
	db_close(db);
	fixture_open(f);
}

static void used_again(struct fixture *f)
{
	struct rebuild_result r;
	struct box b;

	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	send_ok(f, "alice@example.org", "refused\r\n");
	forget_message(f);
	uint64_t id = send_ok(f, "alice@example.org", "kept\r\n");
	struct sending again = {.protocol = "ESMTP",
	                        .sender = "bob@example.com",
	                        .body = "evil\r\n",
	                        .rcpts = "alice@example.org",
	                        .id = id};

	assert_int_equal(send_mail(f, &again), E_TEMP);
	rebuild(f, &r);
	assert_int_equal(r.items, 2); /* what was refused may come back, what was kept must */
	expect_alice(f, 2, "refused\r\n");
	assert_int_equal(box_open(f, "alice@example.org", true, &b), OK);
	assert_int_equal(b.list.entries[0].uid, 1);
	assert_true(str_ends(box_message(f, &b, 0), STR("kept\r\n")));
	box_close(f, &b);
	assert_sound(f);
}

static void test_rebuild_with_uids_that_were_used_again(void **state UNUSED)
{
	fixture_run(used_again);
}

static void damaged(struct fixture *f)
{
	struct rebuild_result r;
	char bodies[200];

	start(f);
	send_ok(f, "alice@example.org", "three\r\n");
	snprintf(bodies, sizeof(bodies), "%s/bodies", f->path);
	change_file(bodies, "0000000001");
	rebuild(f, &r);
	assert_int_equal(r.messages, 2); /* the first is lost, the others are not */
	assert_true(r.damaged > 0);
	admin_do(f, "account enable alice@example.org");
	expect_alice(f, 2, "three\r\n");
	assert_sound(f);
}

static void test_rebuild_passes_over_damage(void **state UNUSED)
{
	fixture_run(damaged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backup_and_restore),
		cmocka_unit_test(test_a_changed_backup_is_refused),
		cmocka_unit_test(test_a_changed_database_is_not_left_behind),
		cmocka_unit_test(test_rebuild),
		cmocka_unit_test(test_rebuild_with_uids_that_were_used_again),
		cmocka_unit_test(test_rebuild_passes_over_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
