/* SPDX-License-Identifier: ISC */
#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/encode.h"
#include "rt/file.h"
#include "rt/rt.h"
#include "store/db.h"
#include "store/folder.h"
#include "store/queue.h"
#include "store/schema.h"
#include "store/segment.h"

enum { PIECE = 1 << 20, MANIFEST_MAX = 64 << 20, PATH_OCTETS = 2048 };

struct path {
	char z[PATH_OCTETS];
};

static err path_join(struct path *p, const char *folder, const char *name)
{
	int n = snprintf(p->z, sizeof(p->z), "%s/%s", folder, name);

	return n > 0 && (size_t)n < sizeof(p->z) ? OK : err_note(E_LIMIT, "%s: the path is too long", folder);
}

static err system_error(const char *what)
{
	err e = errno == ENOSPC || errno == EDQUOT ? E_FULL : errno == ENOENT ? E_NOT_FOUND : E_IO;

	return err_note(e, "%s: %s", what, strerrordesc_np(errno));
}

/* --- folders --- */

/* What a data folder has before there is any state in it. */
static bool is_harmless(const char *name)
{
	static const char *const names[] = {".", "..", "lock", "bodies.lock", "control.sock", "keys"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Makes the folder, or finds it empty. */
static err folder_make(const char *path)
{
	if (mkdir(path, 0700) == 0)
		return OK;
	if (errno != EEXIST)
		return system_error(path);
	DIR *dir = opendir(path);
	const struct dirent *d;
	bool empty = true;
	if (dir == NULL)
		return system_error(path);
	while ((d = readdir(dir)) != NULL)
		empty = empty && is_harmless(d->d_name);
	closedir(dir);
	return empty ? OK : err_note(E_EXISTS, "%s is not empty", path);
}

static err folders_make(const char *path)
{
	struct path bodies;
	err e = folder_make(path);

	if (e == OK)
		e = path_join(&bodies, path, "bodies");
	return e == OK ? folder_make(bodies.z) : e;
}

static err folders_sync(const char *path)
{
	struct path bodies;
	err e = path_join(&bodies, path, "bodies");

	if (e == OK)
		e = file_sync_dir(bodies.z);
	return e == OK ? file_sync_dir(path) : e;
}

/* --- copying --- */

struct copy {
	int from, to;
	uint64_t octets; /* all of the file: UINT64_MAX */
	uint64_t done;
	uint32_t crc;
};

static err copy_octets(struct copy *c)
{
	char *piece = malloc(PIECE);
	err e = piece == NULL ? err_note(E_MEMORY, "no memory to copy") : OK;

	while (e == OK && c->done < c->octets) {
		uint64_t left = c->octets - c->done;
		ssize_t n = pread(c->from, piece, left < PIECE ? (size_t)left : PIECE, (off_t)c->done);

		if (n < 0)
			e = system_error("read");
		if (n <= 0)
			break;
		struct iovec iov = {piece, (size_t)n};
		c->crc = crc32c(c->crc, str_make(piece, (size_t)n));
		e = file_write_all(c->to, &iov, 1, (off_t)c->done);
		c->done += (uint64_t)n;
	}
	free(piece);
	if (e == OK && c->octets != UINT64_MAX && c->done < c->octets)
		return err_note(E_SYNTAX, "a file is shorter than it should be");
	return e;
}

/* A new, synced file `as` with the first `octets` of another. */
static err copy_file(const char *from_folder, const char *name, const char *to_folder, const char *as, struct copy *c)
{
	struct path from, to;
	err e = path_join(&from, from_folder, name);

	if (e == OK)
		e = path_join(&to, to_folder, as);
	if (e != OK)
		return e;
	c->from = open(from.z, O_RDONLY | O_CLOEXEC);
	if (c->from < 0)
		return system_error(from.z);
	c->to = open(to.z, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	e = c->to < 0 ? system_error(to.z) : copy_octets(c);
	if (e == OK)
		e = file_sync(c->to);
	close(c->from);
	if (c->to >= 0)
		close(c->to);
	return e;
}

/* --- backup --- */

static void manifest_line(struct buf *manifest, const char *name, uint64_t octets, uint32_t crc)
{
	buf_printf(manifest, "%s %llu %08x\n", name, (unsigned long long)octets, crc);
}

static err checksum_file(const char *folder, const char *name, uint64_t *octets, uint32_t *crc)
{
	struct path path;
	BUF(content, PIECE);
	err e = path_join(&path, folder, name);
	int fd = e == OK ? open(path.z, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return e == OK ? system_error(path.z) : e;
	*octets = 0;
	*crc = 0;
	char *to = buf_reserve(&content, PIECE);
	ssize_t n = to == NULL ? -1 : 1;
	while (n > 0) {
		n = pread(fd, to, PIECE, (off_t)*octets);
		if (n > 0) {
			*crc = crc32c(*crc, str_make(to, (size_t)n));
			*octets += (uint64_t)n;
		}
	}
	e = n < 0 ? system_error(path.z) : fsync(fd) != 0 ? system_error(path.z) : OK;
	close(fd);
	return e;
}

static err backup_database(const char *data, const char *target, struct buf *manifest, struct backup_result *out)
{
	struct path from, to;
	struct db *db;
	uint64_t octets = 0;
	uint32_t crc = 0;
	err e = path_join(&from, data, "pombo.db");

	if (e == OK)
		e = path_join(&to, target, "pombo.db");
	if (e == OK && access(from.z, F_OK) != 0)
		e = err_note(E_NOT_FOUND, "there is no store in %s", data);
	if (e == OK)
		e = db_open(from.z, DB_READ, &db);
	if (e != OK)
		return e;
	e = db_copy(db, to.z);
	db_close(db);
	if (e == OK)
		e = checksum_file(target, "pombo.db", &octets, &crc);
	if (e != OK)
		return e;
	out->octets += octets;
	manifest_line(manifest, "pombo.db", octets, crc);
	return OK;
}

static err backup_segment(const char *data, const char *target, uint64_t number, uint64_t size, struct buf *manifest)
{
	struct copy c = {.octets = size};
	char number_text[SEGMENT_NAME_MAX], name[SEGMENT_NAME_MAX + 8];

	segment_name(number, number_text);
	snprintf(name, sizeof(name), "bodies/%s", number_text);
	err e = copy_file(data, name, target, name, &c);
	if (e == OK)
		manifest_line(manifest, name, c.done, c.crc);
	return e;
}

/* The copy says which segments it needs, and how much of them. They are immutable up to there. */
static err backup_segments(const char *data, const char *target, struct buf *manifest, struct backup_result *out)
{
	struct path path;
	struct db *db;
	err e = path_join(&path, target, "pombo.db");

	if (e == OK)
		e = db_open(path.z, DB_SNAPSHOT, &db);
	if (e != OK)
		return e;
	struct query q = db_query(db, "SELECT number, size FROM segment ORDER BY number");
	while (e == OK && query_row(&q)) {
		uint64_t number = query_num(&q), size = query_num(&q);

		e = backup_segment(data, target, number, size, manifest);
		out->segments++;
		out->octets += size;
	}
	err end = query_end(&q);
	db_close(db);
	return e == OK ? end : e;
}

static err write_manifest(const char *target, struct buf *manifest)
{
	struct path path;
	err e = path_join(&path, target, "manifest");

	buf_puts(manifest, "end\n");
	if (manifest->full)
		return err_note(E_MEMORY, "no memory for the manifest");
	return e == OK ? file_replace(path.z, buf_str(manifest), 0600) : e;
}

static err backup_files(const char *data, const char *target, struct backup_result *out)
{
	BUF(manifest, MANIFEST_MAX);

	buf_puts(&manifest, "pombo-backup 1\n");
	err e = backup_database(data, target, &manifest, out);
	if (e == OK)
		e = backup_segments(data, target, &manifest, out);
	if (e == OK)
		e = folders_sync(target);
	return e == OK ? write_manifest(target, &manifest) : e;
}

err backup_run(const char *data, const char *target, struct backup_result *out)
{
	int lock, folder = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = (struct backup_result){0};
	if (folder < 0)
		return system_error(data);
	err e = folder_lock_bodies(folder, false, &lock);
	close(folder);
	if (e != OK)
		return e;
	e = folders_make(target);
	if (e == OK)
		e = backup_files(data, target, out);
	close(lock);
	return e;
}

/* --- restore --- */

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
	struct copy c = {.octets = entry->octets};
	err e = copy_file(backup, entry->name, data, as, &c);

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
	struct path path;
	struct db *db;
	err e = path_join(&path, data, database_unfinished);

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
	struct path from, to;
	err e = path_join(&from, data, database_unfinished);

	if (e == OK)
		e = path_join(&to, data, "pombo.db");
	if (e == OK)
		e = folders_sync(data);
	if (e == OK && rename(from.z, to.z) != 0)
		e = system_error(to.z);
	return e == OK ? file_sync_dir(data) : e;
}

static err read_manifest(const char *backup, struct buf *out, str *files)
{
	struct path path;
	err e = path_join(&path, backup, "manifest");

	if (e == OK)
		e = file_read_whole(path.z, out);
	if (e == E_NOT_FOUND)
		return err_note(E_NOT_FOUND, "%s holds no complete backup", backup);
	if (e != OK)
		return e;
	str head;
	*files = buf_str(out);
	if (!str_cut(*files, '\n', &head, files) || !str_equal(head, STR("pombo-backup 1")) ||
	    !str_ends(*files, STR("\nend\n")))
		return err_note(E_SYNTAX, "%s is no manifest of a backup", path.z);
	return OK;
}

err restore_run(const char *backup, const char *data, struct backup_result *out)
{
	BUF(manifest, MANIFEST_MAX);
	struct folder folder;
	str files;
	err e = read_manifest(backup, &manifest, &files);

	*out = (struct backup_result){0};
	if (e == OK)
		e = folders_make(data);
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
