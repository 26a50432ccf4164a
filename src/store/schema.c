/* SPDX-License-Identifier: ISC */
#include "store/schema.h"

#include "store/credential.h"

enum { SCHEMA_VERSION = 3 };

static const char schema_sql[] =
#include "store/schema_sql.h"
	;

const char *ledger_kind_name(uint64_t kind)
{
	static const char *const names[LEDGER_KINDS] = {"accepted", "mailbox", "relayed", "bounced", "discarded"};

	return kind < LEDGER_KINDS ? names[kind] : "unknown";
}

/* From version 1, where an account had one hash. */
static const char to_version_2[] =
	"CREATE TABLE credential (account INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, secret TEXT NOT "
        "NULL,"
	" created INTEGER NOT NULL, expires INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (account, name, kind)) WITHOUT ROWID;"
	"INSERT INTO credential (account, name, kind, secret, created)"
	" SELECT id, '', 'password', hash, created FROM account WHERE hash <> '';"
	"ALTER TABLE account DROP COLUMN hash;"
	"UPDATE meta SET value = 2 WHERE key = 'schema';";

static err run_script(struct db *db, const char *script)
{
	err e = db_begin(db);

	if (e == OK)
		e = db_script(db, script);
	if (e == OK)
		e = credential_new_secret(db);
	if (e == OK)
		return db_commit(db);
	db_rollback(db);
	return e;
}

err schema_apply(struct db *db)
{
	struct query q = db_query(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'");
	uint64_t there = 0, version = 0;
	err e = query_one(&q, &there, NULL);

	if (e == OK && there == 0)
		e = run_script(db, schema_sql);
	if (e == OK)
		e = meta_get(db, "schema", &version);
	if (e == OK && version == 1)
		e = run_script(db, to_version_2);
	if (e == OK && version > SCHEMA_VERSION)
		return err_note(E_PERM, "the store was written by a newer version of this program");
	return e;
}

err meta_get(struct db *db, const char *key, uint64_t *value)
{
	struct query q = db_query(db, "SELECT value FROM meta WHERE key = ?");

	query_put_str(&q, str_from(key));
	return query_one(&q, value, NULL);
}

err meta_set(struct db *db, const char *key, uint64_t value)
{
	struct query q = db_query(db, "UPDATE meta SET value = ? WHERE key = ?");

	query_put_num(&q, value);
	query_put_str(&q, str_from(key));
	return query_run(&q);
}

err meta_take(struct db *db, const char *key, uint64_t *value)
{
	err e = meta_get(db, key, value);

	return e == OK ? meta_set(db, key, *value + 1) : e;
}

err change_add(struct db *db, uint64_t mailbox, uint64_t modseq, uint64_t uid, enum change what)
{
	struct query q = db_query(db, "INSERT INTO change (mailbox, modseq, uid, what) VALUES (?, ?, ?, ?)");

	query_put_num(&q, mailbox);
	query_put_num(&q, modseq);
	query_put_num(&q, uid);
	query_put_num(&q, what);
	return query_run(&q);
}
