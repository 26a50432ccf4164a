/* SPDX-License-Identifier: ISC */
#include "store/fixture.h"
#include "store/schema.h"

static struct db *open_db(struct fixture *f, enum db_mode mode)
{
	char path[200];
	struct db *db = NULL;

	snprintf(path, sizeof(path), "%s/t.db", f->path);
	if (db_open(path, mode, &db) != OK)
		fail_msg("db_open: %s", err_info()->text);
	return db;
}

static void queries(struct fixture *f)
{
	struct db *db = open_db(f, DB_WRITE);
	uint64_t n = 7;
	bool found = true;

	assert_int_equal(db_script(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"), OK);
	struct query q = db_query(db, "INSERT INTO t (a, b) VALUES (?, ?)");
	query_put_num(&q, 1);
	query_put_str(&q, str_make("a\0b", 3));
	assert_int_equal(query_run(&q), OK);
	assert_int_equal(db_changes(db), 1);
	q = db_query(db, "SELECT a, b FROM t");
	assert_true(query_row(&q));
	assert_int_equal(query_num(&q), 1);
	assert_true(str_equal(query_str(&q), str_make("a\0b", 3)));
	assert_false(query_row(&q));
	assert_int_equal(query_end(&q), OK);
	q = db_query(db, "SELECT a FROM t WHERE a = 5");
	assert_int_equal(query_one(&q, &n, &found), OK);
	assert_false(found);
	assert_int_equal(n, 7);
	db_close(db);
}

static void test_queries(void **state UNUSED)
{
	fixture_run(queries);
}

static void errors(struct fixture *f)
{
	struct db *db = open_db(f, DB_WRITE), *reader;
	struct query q = db_query(db, "SELECT nonsense");

	assert_false(query_row(&q));
	assert_int_equal(query_end(&q), E_IO);
	assert_int_equal(db_script(db, "CREATE TABLE t (a INTEGER PRIMARY KEY)"), OK);
	for (int i = 0; i < 2; i++) {
		q = db_query(db, "INSERT INTO t (a) VALUES (1)");
		assert_int_equal(query_run(&q), i == 0 ? OK : E_EXISTS);
	}
	reader = open_db(f, DB_READ);
	assert_int_not_equal(db_script(reader, "DELETE FROM t"), OK);
	db_close(reader);
	db_close(db);
}

static void test_errors(void **state UNUSED)
{
	fixture_run(errors);
}

static void transactions(struct fixture *f)
{
	struct db *db = open_db(f, DB_WRITE), *reader;
	uint64_t n = 9;

	assert_int_equal(schema_apply(db), OK);
	assert_int_equal(schema_apply(db), OK);
	reader = open_db(f, DB_READ);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(meta_set(db, "next_id", 5), OK);
	assert_int_equal(meta_get(reader, "next_id", &n), OK);
	assert_int_equal(n, 0); /* not committed */
	db_rollback(db);
	assert_int_equal(meta_get(db, "next_id", &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(meta_take(db, "next_account", &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(db_commit(db), OK);
	assert_int_equal(meta_get(reader, "next_account", &n), OK);
	assert_int_equal(n, 2);
	assert_true(db_log_octets(db) > 0);
	assert_int_equal(db_checkpoint(db), OK);
	db_close(reader);
	db_close(db);
}

static void test_transactions(void **state UNUSED)
{
	fixture_run(transactions);
}

static void newer(struct fixture *f)
{
	struct db *db = open_db(f, DB_WRITE);

	assert_int_equal(schema_apply(db), OK);
	assert_int_equal(meta_set(db, "schema", 99), OK);
	assert_int_equal(schema_apply(db), E_PERM);
	db_close(db);
}

static void test_a_newer_schema_is_refused(void **state UNUSED)
{
	fixture_run(newer);
}

static void copies(struct fixture *f)
{
	char from[200], to[200];
	struct db *db = open_db(f, DB_WRITE), *copy;
	uint64_t n = 0;

	snprintf(from, sizeof(from), "%s/t.db", f->path);
	snprintf(to, sizeof(to), "%s/100%% of #1?.db", f->path);
	assert_int_equal(schema_apply(db), OK);
	assert_int_equal(meta_set(db, "next_id", 42), OK);
	assert_int_equal(db_copy(db, to), OK);
	db_close(db);
	assert_int_equal(db_open(to, DB_SNAPSHOT, &copy), OK);
	assert_int_equal(meta_get(copy, "next_id", &n), OK);
	assert_int_equal(n, 42);
	db_close(copy);
	struct stat st;
	assert_int_equal(stat(from, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_copy(void **state UNUSED)
{
	fixture_run(copies);
}

static uint64_t count(struct db *db)
{
	struct query q = db_query(db, "SELECT count(*) FROM t");
	uint64_t n = 99;

	assert_int_equal(query_one(&q, &n, NULL), OK);
	return n;
}

static void rounds(struct fixture *f)
{
	struct db *db = open_db(f, DB_WRITE), *reader;

	assert_int_equal(db_script(db, "CREATE TABLE t (a INTEGER PRIMARY KEY)"), OK);
	reader = open_db(f, DB_READ);
	db_read_by_rounds(reader);
	assert_int_equal(count(reader), 0);
	assert_int_equal(db_script(db, "INSERT INTO t (a) VALUES (1)"), OK);
	assert_int_equal(count(reader), 0); /* one view as long as the round lasts */
	rt_yield();
	assert_int_equal(count(reader), 1);
	db_close(reader);
	db_close(db);
}

static void test_a_round_reads_one_state(void **state UNUSED)
{
	fixture_run(rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queries),      cmocka_unit_test(test_errors),
		cmocka_unit_test(test_transactions), cmocka_unit_test(test_a_newer_schema_is_refused),
		cmocka_unit_test(test_copy),         cmocka_unit_test(test_a_round_reads_one_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
