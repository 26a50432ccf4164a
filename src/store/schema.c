/* SPDX-License-Identifier: ISC */
#include "store/schema.h"

#include "base/date.h"
#include "store/credential.h"

enum { SCHEMA_VERSION = 6 };

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

/* From version 2, which knew nothing of other servers. */
static const char to_version_3[] =
	"CREATE INDEX credential_certificate ON credential (secret) WHERE kind = 'certificate';"
	"CREATE TABLE identity (account INTEGER NOT NULL, domain TEXT NOT NULL, local TEXT NOT NULL,"
	" PRIMARY KEY (account, domain, local)) WITHOUT ROWID;"
	"ALTER TABLE account ADD COLUMN forwards INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE forward (account INTEGER NOT NULL, target TEXT NOT NULL, PRIMARY KEY (account, target)) WITHOUT "
	"ROWID;"
	"CREATE TABLE queue (message INTEGER NOT NULL, rcpt INTEGER NOT NULL, destination TEXT NOT NULL, due INTEGER "
	"NOT NULL,"
	" expires INTEGER NOT NULL, sender TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL "
	"DEFAULT 0,"
	" warned INTEGER NOT NULL DEFAULT 0, reply TEXT NOT NULL DEFAULT '', PRIMARY KEY (message, rcpt)) WITHOUT "
	"ROWID;"
	"CREATE INDEX queue_due ON queue (destination, due);"
	"CREATE TABLE attempt (message INTEGER NOT NULL, rcpt INTEGER NOT NULL, at INTEGER NOT NULL, status TEXT NOT "
	"NULL,"
	" host TEXT NOT NULL, reply TEXT NOT NULL, security TEXT NOT NULL);"
	"CREATE INDEX attempt_message ON attempt (message);"
	"CREATE TABLE policy (domain TEXT PRIMARY KEY, id TEXT NOT NULL, text TEXT NOT NULL, expires INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"ALTER TABLE alias ADD COLUMN file INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN deliver_by INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN by_mode INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ledger ADD COLUMN status TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE ledger ADD COLUMN host TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE ledger ADD COLUMN security TEXT NOT NULL DEFAULT '';"
	"UPDATE meta SET value = 3 WHERE key = 'schema';";

/* From version 3, where senders did not take turns. */
static const char to_version_4[] = "DROP INDEX queue_due;"
				   "ALTER TABLE queue ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;"
				   "ALTER TABLE queue ADD COLUMN unreached INTEGER NOT NULL DEFAULT 0;"
				   "CREATE INDEX queue_due ON queue (destination, lane, due);"
				   "UPDATE meta SET value = 4 WHERE key = 'schema';";

/* From version 4, which knew nothing of what the filter finds out. */
static const char to_version_5[] =
	"ALTER TABLE queue ADD COLUMN item_flags INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE queue ADD COLUMN trust TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE finding (message INTEGER PRIMARY KEY, text TEXT NOT NULL);"
	"CREATE TABLE refusal (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, session TEXT NOT NULL, client"
	" TEXT NOT NULL, helo TEXT NOT NULL, sender TEXT NOT NULL, rcpts TEXT NOT NULL, message_id TEXT NOT"
	" NULL, subject TEXT NOT NULL, detail TEXT NOT NULL);"
	"CREATE TABLE history (key TEXT PRIMARY KEY, good INTEGER NOT NULL, bad INTEGER NOT NULL, first"
	" INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE contact (account INTEGER NOT NULL, skeleton TEXT NOT NULL, address TEXT NOT NULL,"
	" name_skeleton TEXT NOT NULL, received INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (account, skeleton, address)) WITHOUT ROWID;"
	"CREATE INDEX contact_name ON contact (account, name_skeleton) WHERE sent > 0;"
	"CREATE TABLE lesson (account INTEGER NOT NULL, digest TEXT NOT NULL, message INTEGER NOT NULL, spam"
	" INTEGER NOT NULL, learned INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (account, digest))"
	" WITHOUT ROWID;"
	"CREATE INDEX lesson_due ON lesson (at) WHERE learned <> spam + 1;"
	"CREATE TABLE token (account INTEGER NOT NULL, hash INTEGER NOT NULL, good INTEGER NOT NULL, bad"
	" INTEGER NOT NULL, PRIMARY KEY (account, hash)) WITHOUT ROWID;"
	"CREATE TABLE learned (account INTEGER PRIMARY KEY, version INTEGER NOT NULL, good INTEGER NOT NULL,"
	" bad INTEGER NOT NULL);"
	"CREATE TABLE tally (domain TEXT NOT NULL, day INTEGER NOT NULL, row TEXT NOT NULL, count INTEGER NOT"
	" NULL, PRIMARY KEY (domain, day, row)) WITHOUT ROWID;"
	"CREATE TABLE report (kind TEXT NOT NULL, domain TEXT NOT NULL, organization TEXT NOT NULL, id TEXT"
	" NOT NULL, message INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, verified"
	" INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, domain, organization, id)) WITHOUT ROWID;"
	"UPDATE meta SET value = 5 WHERE key = 'schema';";

/* From version 5, where policies of other domains that ended first went first, and where people log in from was soon forgotten. */
static const char to_version_6[] =
	"ALTER TABLE policy ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE login_network (account INTEGER NOT NULL, network TEXT NOT NULL, at INTEGER"
	" NOT NULL, PRIMARY KEY (account, network)) WITHOUT ROWID;"
	"UPDATE meta SET value = 6 WHERE key = 'schema';";

static err nothing_more(struct db *db UNUSED)
{
	return OK;
}

/* From version [i]; from 0: there are no tables. */
static const struct {
	const char *script;
	err (*then)(struct db *db);
} steps[] = {
	{schema_sql, credential_new_secret}, {to_version_2, credential_new_secret}, {to_version_3, nothing_more},
	{to_version_4, nothing_more},        {to_version_5, nothing_more},          {to_version_6, nothing_more},
};

static err run_step(struct db *db, uint64_t version)
{
	err e = db_begin(db);

	if (e == OK)
		e = db_script(db, steps[version].script);
	if (e == OK)
		e = steps[version].then(db);
	if (e == OK)
		return db_commit(db);
	db_rollback(db);
	return e;
}

static err read_version(struct db *db, uint64_t *version)
{
	struct query q = db_query(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'");
	uint64_t there = 0;
	err e = query_one(&q, &there, NULL);

	*version = 0;
	return e == OK && there > 0 ? meta_get(db, "schema", version) : e;
}

err schema_apply(struct db *db)
{
	uint64_t version = 0;
	err e = read_version(db, &version);

	while (e == OK && version < SCHEMA_VERSION) {
		e = run_step(db, version);
		if (e == OK)
			e = read_version(db, &version);
	}
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

err mailbox_add(struct db *db, uint64_t account, str name, uint64_t now)
{
	struct query q = db_query(db, "INSERT INTO mailbox (id, account, name, uidvalidity) VALUES (?, ?, ?, ?)");
	uint64_t id = 0;
	err e = meta_take(db, "next_mailbox", &id);

	if (e != OK)
		return e;
	query_put_num(&q, id);
	query_put_num(&q, account);
	query_put_str(&q, name);
	query_put_num(&q, now / USEC_PER_SEC + id);
	return query_run(&q);
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
