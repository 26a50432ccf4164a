/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "base/encode.h"
#include "rt/file.h"
#include "rt/rt.h"
#include "store/backup.h"
#include "store/backup_files.h"
#include "store/db.h"
#include "store/folder.h"
#include "store/queue.h"
#include "store/schema.h"
#include "store/segment.h"

static const char database_unfinished[] = "pombo.db.restore";

struct entry {
	char name[SEGMENT_NAME_MAX + 8];
	uint64_t octets, crc;
};

/* Names are checked: a manifest cannot make a file elsewhere. */
static bool parse_name(str s, struct entry *out)
{
	uint64_t number;

	if (s.n >= sizeof(out->name))
		return false;
	memcpy(out->name, s.p, s.n);
	out->name[s.n] = '\0';
	return str_equal(s, STR("pombo.db")) ||
	       (str_starts(s, STR("bodies/")) && segment_number(out->name + STR("bodies/").n, &number));
}

static bool parse_hex(str s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint64_t)digit;
	}
	return s.n == 8;
}

static bool parse_line(str line, struct entry *out)
{
	str name = str_word(&line), octets = str_word(&line), crc = str_word(&line);

	return parse_name(name, out) && str_to_u64(octets, INT64_MAX, &out->octets) && parse_hex(crc, &out->crc) &&
	       line.n == 0;
}

static err restore_file(const char *backup, const char *data, const struct entry *entry, const char *as)
{
	struct backup_copy c = {.octets = entry->octets};
	err e = backup_copy_file(backup, entry->name, data, as, &c);

	if (e == OK && c.crc != entry->crc)
		return err_note(E_SYNTAX, "%s/%s was changed since the backup was made", backup, entry->name);
	return e;
}

/* Without the database the store refuses to open, so it comes last, and under another name until all is well. */
static err restore_files(const char *backup, const char *data, str manifest, struct backup_result *out)
{
	struct entry entry, database = {.octets = UINT64_MAX};
	str line, rest = manifest;
	err e = OK;

	while (e == OK && str_cut(rest, '\n', &line, &rest) && !str_equal(line, STR("end"))) {
		if (!parse_line(line, &entry))
			return err_note(E_SYNTAX, "%s/manifest is malformed", backup);
		out->octets += entry.octets;
		if (strcmp(entry.name, "pombo.db") == 0) {
			database = entry;
			continue;
		}
		out->segments++;
		e = restore_file(backup, data, &entry, entry.name);
	}
	if (e == OK && database.octets == UINT64_MAX)
		return err_note(E_SYNTAX, "%s/manifest names no database", backup);
	return e == OK ? restore_file(backup, data, &database, database_unfinished) : e;
}

/* What was queued when the backup was made may have been sent since. */
static err hold_queue(struct db *db, struct backup_result *out)
{
	struct query q = db_query(db, "UPDATE queue SET state = 1, due = due + ?,"
	                              " expires = CASE WHEN expires < ? THEN ? ELSE expires END,"
	                              " reply = 'restored from a backup; it may have been sent since' WHERE due < ?");
	uint64_t expires = (uint64_t)rt_wall() + BACKUP_EXPIRE;

	query_put_num(&q, QUEUE_DUE_HELD);
	query_put_num(&q, expires);
	query_put_num(&q, expires);
	query_put_num(&q, QUEUE_DUE_HELD);
	err e = query_run(&q);
	out->held = db_changes(db);
	if (e != OK)
		return e;
	q = db_query(db, "DELETE FROM meta WHERE key = 'clock'"); /* the age of a backup is no jump of the clock */
	return query_run(&q);
}

/* Clients must not meet other messages under uids that were given out after the backup was made. */
static err skip_uids(struct db *db)
{
	struct query q = db_query(db, "UPDATE mailbox SET uidnext = uidnext + ?, modseq = modseq + ?");

	query_put_num(&q, BACKUP_UID_GAP);
	query_put_num(&q, BACKUP_UID_GAP);
	return query_run(&q);
}

/* A backup of an older version is brought up to this one. */
static err make_good(const char *data, struct backup_result *out)
{
	struct backup_path path;
	struct db *db;
	err e = backup_path_join(&path, data, database_unfinished);

	if (e == OK)
		e = db_open(path.z, DB_WRITE, &db);
	if (e != OK)
		return e;
	e = schema_apply(db);
	if (e == OK)
		e = skip_uids(db);
	if (e == OK)
		e = hold_queue(db, out);
	if (e == OK)
		e = db_checkpoint(db); /* its log does not come along */
	db_close(db);
	return e;
}

static err database_in_place(const char *data)
{
	struct backup_path from, to;
	err e = backup_path_join(&from, data, database_unfinished);

	if (e == OK)
		e = backup_path_join(&to, data, "pombo.db");
	if (e == OK)
		e = backup_folders_sync(data);
	if (e == OK && rename(from.z, to.z) != 0)
		e = backup_fault(to.z);
	return e == OK ? file_sync_dir(data) : e;
}

static err read_manifest(const char *backup, struct buf *out, str *files)
{
	struct backup_path path;
	err e = backup_path_join(&path, backup, "manifest");

	if (e == OK)
		e = file_read_whole(path.z, out);
	if (e == E_NOT_FOUND)
		return err_note(E_NOT_FOUND, "%s holds no complete backup", backup);
	if (e != OK)
		return e;
	str head;
	*files = buf_str(out);
	if (!str_cut(*files, '\n', &head, files) || !str_equal(head, STR(BACKUP_MANIFEST_HEAD)) ||
	    !str_ends(*files, STR("\nend\n")))
		return err_note(E_SYNTAX, "%s is no manifest of a backup", path.z);
	return OK;
}

err restore_run(const char *backup, const char *data, struct backup_result *out)
{
	BUF(manifest, BACKUP_MANIFEST_MAX);
	struct folder folder;
	str files;
	err e = read_manifest(backup, &manifest, &files);

	*out = (struct backup_result){0};
	if (e == OK)
		e = backup_folders_make(data);
	if (e == OK)
		e = folder_open(data, &folder); /* no server may start on it meanwhile */
	if (e != OK)
		return e;
	e = restore_files(backup, data, files, out);
	if (e == OK)
		e = make_good(data, out);
	if (e == OK)
		e = database_in_place(data);
	folder_close(&folder);
	return e;
}
