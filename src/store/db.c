/* SPDX-License-Identifier: ISC */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "rt/rt.h"

enum {
	PREPARED_MAX = 256, /* statements of one connection; a power of two */
	PAGE = 4096,
	BUSY_MS = 10000
};

struct prepared {
	const char *sql;
	sqlite3_stmt *statement;
};

struct db {
	sqlite3 *handle;
	uint64_t log_pages;
	bool by_rounds, in_round; /* read transactions are those of rounds; one is open */
	struct rt_round round;
	size_t prepared_n;
	struct prepared prepared[PREPARED_MAX];
};

static err db_error(sqlite3 *handle, int code)
{
	static const struct {
		int code;
		err e;
	} known[] = {
		{SQLITE_FULL, E_FULL},   {SQLITE_CONSTRAINT, E_EXISTS}, {SQLITE_BUSY, E_TEMP},
		{SQLITE_LOCKED, E_TEMP}, {SQLITE_NOMEM, E_MEMORY},      {SQLITE_CANTOPEN, E_IO},
	};
	err e = E_IO;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if ((code & 0xff) == known[i].code)
			e = known[i].e;
	return err_note(e, "database: %s", handle == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(handle));
}

/* SQLite's own accounting of memory takes a lock of the process at every allocation. */
static void library_setup(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int log_hook(void *arg, sqlite3 *handle UNUSED, const char *name UNUSED, int pages)
{
	struct db *db = arg;

	db->log_pages = (uint64_t)pages;
	return SQLITE_OK;
}

/* SQLite would make the file with the process's umask. Its log and index take the permissions of the database. */
static err file_create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_note(errno == ENOSPC ? E_FULL : E_IO, "%s: %s", path, strerror(errno));
	close(fd);
	return OK;
}

static const char *const settings[] = {
	[DB_READ] = "PRAGMA query_only=1; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cache_size=-4096",
	[DB_SNAPSHOT] = "PRAGMA query_only=1; PRAGMA temp_store=MEMORY",
	[DB_WRITE] =
		"PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
		"PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cache_size=-32768",
	[DB_SCRATCH] =
		"PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;"
		"PRAGMA cache_size=-32768",
};

static err db_setup(struct db *db, enum db_mode mode)
{
	err e;

	sqlite3_busy_timeout(db->handle, BUSY_MS);
	e = db_script(db, settings[mode]);
	if (e == OK && mode == DB_WRITE)
		sqlite3_wal_hook(db->handle, log_hook, db);
	return e;
}

/* A file that nobody changes is opened by URI, because only so SQLite can be told. Everything that means something in a URI is escaped. */
static int open_immutable(const char *path, sqlite3 **out)
{
	BUF(uri, 64 << 10);

	buf_puts(&uri, path[0] == '/' ? "file://" : "file:");
	for (; *path != '\0'; path++) {
		if (strchr("%?#", *path) != NULL)
			buf_printf(&uri, "%%%02X", (unsigned char)*path);
		else
			buf_putc(&uri, *path);
	}
	buf_puts(&uri, "?immutable=1");
	buf_putc(&uri, '\0');
	return uri.full ? SQLITE_NOMEM
	                : sqlite3_open_v2(uri.p, out, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
	                                  NULL);
}

static err db_connect(struct db *db, const char *path, enum db_mode mode)
{
	int code = mode == DB_SNAPSHOT
	                   ? open_immutable(path, &db->handle)
	                   : sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	return code != SQLITE_OK ? db_error(db->handle, code) : db_setup(db, mode);
}

err db_open(const char *path, enum db_mode mode, struct db **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	err e = mode == DB_WRITE || mode == DB_SCRATCH ? file_create(path) : OK;

	pthread_once(&once, library_setup);
	if (e != OK)
		return e;
	struct db *db = calloc(1, sizeof(*db));
	if (db == NULL)
		return err_note(E_MEMORY, "no memory for a database connection");
	e = db_connect(db, path, mode);
	if (e == OK)
		*out = db;
	else
		db_close(db);
	return e;
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	db->by_rounds = false;
	while (db->round.queued)
		rt_yield();
	for (size_t i = 0; i < PREPARED_MAX; i++)
		sqlite3_finalize(db->prepared[i].statement);
	sqlite3_close(db->handle);
	free(db);
}

err db_script(struct db *db, const char *sql)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? OK : db_error(db->handle, code);
}

/* --- transactions --- */

static err run(struct db *db, const char *literal)
{
	struct query q = db_query(db, literal);

	return query_run(&q);
}

err db_begin_read(struct db *db)
{
	return run(db, "BEGIN");
}

err db_begin(struct db *db)
{
	return run(db, "BEGIN IMMEDIATE");
}

err db_commit(struct db *db)
{
	err e = run(db, "COMMIT");

	if (e == OK)
		return OK;
	struct err_info cause = *err_info();
	db_rollback(db);
	return err_note(e, "%s", cause.text);
}

void db_rollback(struct db *db)
{
	/* SQLite rolls back by itself after some errors; a rollback cannot fail in a way that leaves the transaction open. */
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_in_transaction(const struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

/* --- rounds --- */

static void round_end(void *arg)
{
	struct db *db = arg;

	(void)!run(db, "COMMIT"); /* nothing was changed */
	db->in_round = false;
}

void db_read_by_rounds(struct db *db)
{
	db->by_rounds = true;
	db->round = (struct rt_round){.fn = round_end, .arg = db};
}

/* Without a transaction a query is one by itself. */
static void round_begin(struct db *db)
{
	if (rt_self() == NULL)
		return;
	db->in_round = true;
	rt_at_round_end(&db->round);
	(void)!db_begin_read(db);
}

/* --- queries --- */

static struct prepared *prepared_slot(struct db *db, const char *literal)
{
	size_t at = ((uintptr_t)literal >> 3) * 0x9e3779b1u >> 8;

	for (size_t i = 0; i < PREPARED_MAX; i++) {
		struct prepared *p = &db->prepared[(at + i) % PREPARED_MAX];

		if (p->sql == literal || p->sql == NULL)
			return p;
	}
	return NULL;
}

static err prepare(struct db *db, const char *literal, void **out)
{
	struct prepared *p = prepared_slot(db, literal);

	if (p == NULL)
		return err_note(E_LIMIT, "database: too many kinds of statements");
	if (p->sql == NULL) {
		int code = sqlite3_prepare_v3(db->handle, literal, -1, SQLITE_PREPARE_PERSISTENT, &p->statement, NULL);

		if (code != SQLITE_OK)
			return db_error(db->handle, code);
		p->sql = literal;
	}
	*out = p->statement;
	return OK;
}

struct query db_query(struct db *db, const char *literal)
{
	struct query q = {.db = db};

	if (db->by_rounds && !db->in_round)
		round_begin(db);
	q.error = prepare(db, literal, &q.statement);
	return q;
}

static void query_check(struct query *q, int code)
{
	if (code != SQLITE_OK)
		q->error = db_error(q->db->handle, code);
}

void query_put_num(struct query *q, uint64_t v)
{
	if (q->error == OK)
		query_check(q, sqlite3_bind_int64(q->statement, ++q->parameter, (sqlite3_int64)v));
}

void query_put_str(struct query *q, str v)
{
	if (q->error == OK)
		query_check(q, sqlite3_bind_text64(q->statement, ++q->parameter, v.n == 0 ? "" : v.p, v.n,
		                                   SQLITE_STATIC, SQLITE_UTF8));
}

bool query_row(struct query *q)
{
	if (q->error != OK)
		return false;
	int code = sqlite3_step(q->statement);
	q->column = 0;
	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		q->error = db_error(q->db->handle, code);
	return false;
}

uint64_t query_num(struct query *q)
{
	return (uint64_t)sqlite3_column_int64(q->statement, q->column++);
}

str query_str(struct query *q)
{
	const char *p = (const char *)sqlite3_column_text(q->statement, q->column);

	return str_make(p, (size_t)sqlite3_column_bytes(q->statement, q->column++));
}

err query_end(struct query *q)
{
	if (q->statement != NULL)
		sqlite3_reset(q->statement);
	return q->error;
}

err query_run(struct query *q)
{
	while (query_row(q))
		;
	return query_end(q);
}

err query_one(struct query *q, uint64_t *out, bool *found)
{
	bool there = query_row(q);

	if (there)
		*out = query_num(q);
	if (found != NULL)
		*found = there;
	return query_end(q);
}

/* --- the rest --- */

size_t db_changes(struct db *db)
{
	return (size_t)sqlite3_changes64(db->handle);
}

uint64_t db_log_octets(struct db *db)
{
	return db->log_pages * PAGE;
}

err db_checkpoint(struct db *db)
{
	int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	return code == SQLITE_OK ? OK : db_error(db->handle, code);
}

err db_checkpoint_wait(struct db *db, int ms)
{
	sqlite3_busy_timeout(db->handle, ms);
	int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	sqlite3_busy_timeout(db->handle, BUSY_MS);

	return code == SQLITE_OK || code == SQLITE_BUSY ? OK : db_error(db->handle, code);
}

err db_copy(struct db *db, const char *target)
{
	sqlite3 *to = NULL;
	err e = file_create(target);

	if (e != OK)
		return e;
	int code = sqlite3_open_v2(target, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	sqlite3_backup *backup = code == SQLITE_OK ? sqlite3_backup_init(to, "main", db->handle, "main") : NULL;
	if (backup == NULL) {
		e = db_error(to, sqlite3_errcode(to));
	} else {
		/* All pages in one step: one read transaction, so one state, and writers go on. */
		code = sqlite3_backup_step(backup, -1);
		sqlite3_backup_finish(backup);
		e = code == SQLITE_DONE ? OK : db_error(NULL, code);
	}
	sqlite3_close(to);
	return e;
}
