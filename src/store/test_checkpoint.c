/* SPDX-License-Identifier: ISC */
#include "store/checkpoint.h"
#include "store/fixture.h"

#include <pthread.h>
#include <stdatomic.h>

enum { COMMITS = 80, ROWS = 250 };

static void write_some(struct db *db, int commit)
{
	char text[4000];

	memset(text, 'x', sizeof(text));
	assert_int_equal(db_begin(db), OK);
	for (int i = 0; i < ROWS; i++) {
		struct query q = db_query(db, "INSERT INTO t (a, b) VALUES (?, ?)");

		query_put_num(&q, (uint64_t)(commit * ROWS + i));
		query_put_str(&q, str_make(text, sizeof(text)));
		assert_int_equal(query_run(&q), OK);
	}
	assert_int_equal(db_commit(db), OK);
}

/* A megabyte a commit, 80 in all: the log never holds half of it. */
static void stays_short(struct fixture *f)
{
	char path[200];
	struct db *db;
	struct checkpointer *c = NULL;
	uint64_t longest = 0;

	snprintf(path, sizeof(path), "%s/t.db", f->path);
	assert_int_equal(db_open(path, DB_WRITE, &db), OK);
	assert_int_equal(db_script(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"), OK);
	assert_int_equal(checkpointer_start(path, &c), OK);
	for (int i = 0; i < COMMITS; i++) {
		write_some(db, i);
		checkpointer_look(c, db);
		if (db_log_octets(db) > longest)
			longest = db_log_octets(db);
	}
	assert_in_range(longest, 8 << 20, 40 << 20);
	checkpointer_stop(c);
	db_close(db);
}

static void test_the_log_stays_short(void **state UNUSED)
{
	fixture_run(stays_short);
}

/* Somebody reads at all times, as a loop does that has much to do: for a moment each, and the next one begins before. */
struct reading {
	const char *path;
	atomic_bool stop;
};

static void *read_on(void *arg)
{
	struct reading *x = arg;
	struct db *db[2] = {NULL, NULL};
	size_t i = 0;

	for (size_t k = 0; k < ARRAY_LEN(db); k++)
		assert_int_equal(db_open(x->path, DB_READ, &db[k]), OK);
	for (; !atomic_load(&x->stop); i ^= 1) {
		uint64_t n;

		assert_int_equal(db_begin_read(db[i]), OK);
		struct query q = db_query(db[i], "SELECT max(a) FROM t");
		assert_int_equal(query_one(&q, &n, NULL), OK);
		usleep(1000);
		db_rollback(db[i ^ 1]);
	}
	db_close(db[0]);
	db_close(db[1]);
	return NULL;
}

static void always_read(struct fixture *f)
{
	char path[200];
	struct db *db;
	struct checkpointer *c = NULL;
	struct reading x = {.path = path};
	pthread_t thread;
	uint64_t longest = 0;

	snprintf(path, sizeof(path), "%s/t.db", f->path);
	assert_int_equal(db_open(path, DB_WRITE, &db), OK);
	assert_int_equal(db_script(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"), OK);
	assert_int_equal(checkpointer_start(path, &c), OK);
	assert_int_equal(pthread_create(&thread, NULL, read_on, &x), 0);
	for (int i = 0; i < COMMITS; i++) {
		write_some(db, i);
		checkpointer_look(c, db);
		if (db_log_octets(db) > longest)
			longest = db_log_octets(db);
	}
	atomic_store(&x.stop, true);
	pthread_join(thread, NULL);
	assert_in_range(longest, 8 << 20, 60 << 20);
	checkpointer_stop(c);
	db_close(db);
}

static void test_somebody_always_reads(void **state UNUSED)
{
	fixture_run(always_read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_log_stays_short),
	                                   cmocka_unit_test(test_somebody_always_reads)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
