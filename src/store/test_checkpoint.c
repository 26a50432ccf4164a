/* SPDX-License-Identifier: ISC */
#include "store/checkpoint.h"
#include "store/fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_log_stays_short)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
