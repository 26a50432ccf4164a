/* SPDX-License-Identifier: ISC */
/* db - the small driver interface over the database; the engine (SQLite) is known to db.c alone.
 *
 * A query binds its parameters in order, reads its columns in order, and keeps its first error:
 *
 *	struct query q = db_query(db, "SELECT id, name FROM mailbox WHERE account = ? AND name = ?");
 *	query_put_num(&q, account);
 *	query_put_str(&q, wanted);
 *	if (query_row(&q)) {
 *		id = query_num(&q);
 *		name = arena_str(a, query_str(&q));
 *	}
 *	return query_end(&q);
 *
 * The text of a statement is a literal: prepared statements are kept by its address. A statement cannot be in use twice at once. One thread
 * at a time uses a connection. Errors are noted for the log, not for peers: E_FULL no space on the disk, E_EXISTS a constraint,
 * E_TEMP locked by somebody else for long, E_IO a failing or damaged file, E_MEMORY.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/err.h"
#include "base/str.h"

struct db;

enum db_mode {
	DB_READ,     /* must exist */
	DB_SNAPSHOT, /* the same of a file that nobody changes: nothing is made beside it */
	DB_WRITE, /* created when it is not there (readable by its owner alone); commits are durable when they return */
	DB_SCRATCH /* the same without durability and journal, for building a database that is synced at its end */
};
MUST_USE err db_open(const char *path, enum db_mode mode, struct db **out);
void db_close(
	struct db
		*db); /* NULL allowed; checkpoints when it is the last connection. May wait for the end of the round */

/* On the loop from now on: all that is read in one round of it is read in one transaction, which costs its locks once. What the writer has
 * committed before it woke somebody is seen by whoever it woke, in a later round. */
void db_read_by_rounds(struct db *db);

MUST_USE err db_script(struct db *db, const char *sql); /* statements without parameters and results */

/* One consistent view for several queries, or one change of several statements. The end of a transaction is its commit or its rollback. */
MUST_USE err db_begin_read(struct db *db);
MUST_USE err db_begin(struct db *db);
MUST_USE err db_commit(struct db *db);       /* when it fails, the transaction was rolled back */
void db_rollback(struct db *db);             /* nothing when there is none */
bool db_in_transaction(const struct db *db); /* a read that fails may end it, too */

struct query {
	struct db *db;
	void *statement;
	int parameter, column;
	err error;
};
struct query db_query(struct db *db, const char *literal);
void query_put_num(struct query *q, uint64_t v); /* up to 2^63-1 */
void query_put_str(struct query *q, str v);      /* must live until query_end */
MUST_USE bool query_row(struct query *q);        /* false: no more, or an error */
uint64_t query_num(struct query *q);
str query_str(struct query *q); /* until the next query_row or query_end */
MUST_USE err query_end(struct query *q);
MUST_USE err query_run(struct query *q); /* a statement without rows: to its end, and query_end */

/* For queries of one number: *out keeps its value when there is no row, and `found` (may be NULL) tells. Ends the query. */
MUST_USE err query_one(struct query *q, uint64_t *out, bool *found);

size_t db_changes(struct db *db);      /* rows changed by the last statement */
uint64_t db_log_octets(struct db *db); /* of the write-ahead log after this connection's last commit */
/* Copies what the log holds into the database. It never waits for anybody. E_TEMP: another checkpoint runs. */
MUST_USE err db_checkpoint(struct db *db);
/* Waits up to `ms` milliseconds for those who read an older state, so that the log begins anew; that they are there still is no error. */
MUST_USE err db_checkpoint_wait(struct db *db, int ms);
MUST_USE err db_copy(struct db *db,
                     const char *target); /* one consistent state, into a new file; others go on reading and writing */

#endif
