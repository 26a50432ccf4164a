/* SPDX-License-Identifier: ISC */
/* Databases of older versions are brought up to this one. */
#include "store/fixture.h"
#include "store/queue.h"
#include "store/schema.h"

/* Back from version 6: what version 5 did not have. */
static const char to_version_5[] =
	"ALTER TABLE policy DROP COLUMN used; DROP TABLE login_network; UPDATE meta SET value = 5 WHERE key = 'schema';";

/* Back from there: what version 4 did not have. */
static const char to_version_4[] = "DROP TABLE finding; DROP TABLE refusal; DROP TABLE history; DROP TABLE contact;"
				   "DROP TABLE lesson; DROP TABLE token; DROP TABLE learned; DROP TABLE tally;"
				   "DROP TABLE report; ALTER TABLE queue DROP COLUMN item_flags;"
				   "ALTER TABLE queue DROP COLUMN trust;"
				   "UPDATE meta SET value = 4 WHERE key = 'schema';";

/* Back from there: what version 3 did not have. */
static const char to_version_3[] = "DROP INDEX queue_due; ALTER TABLE queue DROP COLUMN lane;"
				   "ALTER TABLE queue DROP COLUMN unreached;"
				   "CREATE INDEX queue_due ON queue (destination, due);"
				   "UPDATE meta SET value = 3 WHERE key = 'schema';";

/* Back from there: what version 2 did not have. */
static const char to_version_2[] = "DROP TABLE forward; ALTER TABLE account DROP COLUMN forwards;"
				   "DROP TABLE identity; DROP TABLE queue; DROP TABLE attempt; DROP TABLE policy;"
				   "ALTER TABLE alias DROP COLUMN file;"
				   "ALTER TABLE message DROP COLUMN deliver_by;"
				   "DROP INDEX credential_certificate;"
				   "ALTER TABLE message DROP COLUMN by_mode;"
				   "ALTER TABLE message DROP COLUMN priority;"
				   "ALTER TABLE ledger DROP COLUMN status;"
				   "ALTER TABLE ledger DROP COLUMN host;"
				   "ALTER TABLE ledger DROP COLUMN security;"
				   "UPDATE meta SET value = 2 WHERE key = 'schema';";

/* Back from there: a hash in the account. */
static const char to_version_1[] =
	"DROP TABLE credential; ALTER TABLE account ADD COLUMN hash TEXT NOT NULL DEFAULT '';"
	"UPDATE account SET hash = '$old$' WHERE local = 'alice';"
	"UPDATE meta SET value = 1 WHERE key = 'schema';";

static struct db *open_database(struct fixture *f)
{
	char path[200];
	struct db *db;

	snprintf(path, sizeof(path), "%s/pombo.db", f->path);
	assert_int_equal(db_open(path, DB_WRITE, &db), OK);
	return db;
}

/* Every table and index with its columns, in order. */
static str columns(struct fixture *f, struct arena *a)
{
	struct db *db = open_database(f);
	BUF(out, 1 << 16);
	struct query q =
		db_query(db, "SELECT s.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' ||"
	                     " coalesce(c.dflt_value, '') || ' ' || c.pk FROM sqlite_schema s"
	                     " JOIN pragma_table_info(s.name) c ORDER BY s.name, c.cid");

	while (query_row(&q)) {
		buf_put(&out, query_str(&q));
		buf_putc(&out, '\n');
	}
	assert_int_equal(query_end(&q), OK);
	q = db_query(db, "SELECT s.name || '.' || c.name FROM sqlite_schema s JOIN pragma_index_info(s.name) c"
	                 " WHERE s.type = 'index' ORDER BY s.name, c.seqno");
	while (query_row(&q)) {
		buf_put(&out, query_str(&q));
		buf_putc(&out, '\n');
	}
	assert_int_equal(query_end(&q), OK);
	db_close(db);
	return arena_str(a, buf_str(&out));
}

static void change(struct fixture *f, const char *sql)
{
	struct db *db = open_database(f);

	if (db_script(db, sql) != OK)
		fail_msg("%s", err_info()->text);
	db_close(db);
}

static struct credential_reply alice(struct fixture *f, struct arena *a)
{
	struct credential_request q = {.user = STR("alice@example.org")};
	struct credential_reply r = {0};

	assert_int_equal(store_credential(f->store, &q, &r, a), OK);
	return r;
}

static str start(struct fixture *f, struct arena *a)
{
	fixture_open(f);
	admin_do(f, "account add alice@example.org");
	admin_do(f, "alias add team@example.org alice@example.org");
	send_ok(f, "team@example.org", "x\r\n");
	fixture_close(f);
	return columns(f, a);
}

static void expect_mail(struct fixture *f)
{
	assert_int_equal(box_count(f, "alice@example.org"), 1);
	send_ok(f, "team@example.org", "x\r\n");
	assert_int_equal(box_count(f, "alice@example.org"), 2);
	assert_sound(f);
}

static void version_4(struct fixture *f)
{
	ARENA(a, 1 << 20);
	str expected = start(f, &a);

	change(f, to_version_5);
	change(f, to_version_4);
	fixture_open(f);
	expect_mail(f);
	fixture_close(f);
	assert_true(str_equal(columns(f, &a), expected));
}

static void test_version_4(void **state UNUSED)
{
	fixture_run(version_4);
}

/* What is queued goes on. */
static void version_3(struct fixture *f)
{
	ARENA(a, 1 << 20);
	struct lease_request q = {.destination = STR("")};
	struct lease_reply r;
	str expected = start(f, &a);

	fixture_open(f);
	send_out(f, "alice@example.org", "bob@example.com");
	fixture_close(f);
	change(f, to_version_5);
	change(f, to_version_4);
	change(f, to_version_3);
	fixture_open(f);
	assert_int_equal(store_lease(f->store, "send-0", &q, &r, &a), OK);
	assert_str(r.destination, "example.com");
	expect_mail(f);
	fixture_close(f);
	assert_true(str_equal(columns(f, &a), expected));
}

static void test_version_3(void **state UNUSED)
{
	fixture_run(version_3);
}

static void version_2(struct fixture *f)
{
	ARENA(a, 1 << 20);
	str expected = start(f, &a);

	fixture_open(f);
	str secret = alice(f, &a).secret;
	fixture_close(f);
	change(f, to_version_5);
	change(f, to_version_4);
	change(f, to_version_3);
	change(f, to_version_2);
	fixture_open(f);
	assert_true(str_equal(alice(f, &a).secret, secret));
	expect_mail(f);
	fixture_close(f);
	assert_true(str_equal(columns(f, &a), expected));
}

static void test_version_2(void **state UNUSED)
{
	fixture_run(version_2);
}

static void version_1(struct fixture *f)
{
	ARENA(a, 1 << 20);
	str expected = start(f, &a);

	change(f, to_version_5);
	change(f, to_version_4);
	change(f, to_version_3);
	change(f, to_version_2);
	change(f, to_version_1);
	fixture_open(f);
	struct credential_reply c = alice(f, &a);
	assert_int_equal(c.account, 1);
	assert_int_equal(c.credentials_n, 1);
	assert_str(c.credentials[0].kind, "password");
	assert_str(c.credentials[0].hash, "$old$");
	assert_true(c.secret.n > 0);
	expect_mail(f);
	fixture_close(f);
	assert_true(str_equal(columns(f, &a), expected));
}

static void test_version_1(void **state UNUSED)
{
	fixture_run(version_1);
}

static void newer(struct fixture *f)
{
	fixture_open(f);
	fixture_close(f);
	change(f, "UPDATE meta SET value = value + 1 WHERE key = 'schema'");
	assert_int_equal(store_open(f->path, f->config, &f->store), E_PERM);
	f->store = NULL;
}

static void test_a_newer_version_is_refused(void **state UNUSED)
{
	fixture_run(newer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_4),
		cmocka_unit_test(test_version_3),
		cmocka_unit_test(test_version_2),
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_a_newer_version_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
