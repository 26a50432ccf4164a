/* SPDX-License-Identifier: ISC */
#include "store/backup.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/encode.h"
#include "rt/file.h"
#include "store/backup_files.h"
#include "store/db.h"
#include "store/folder.h"
#include "store/segment.h"

static void manifest_line(struct buf *manifest, const char *name, uint64_t octets, uint32_t crc)
{
	buf_printf(manifest, "%s %llu %08x\n", name, (unsigned long long)octets, crc);
}

static err checksum_file(const char *folder, const char *name, uint64_t *octets, uint32_t *crc)
{
	struct backup_path path;
	BUF(content, BACKUP_PIECE);
	err e = backup_path_join(&path, folder, name);
	int fd = e == OK ? open(path.z, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return e == OK ? backup_fault(path.z) : e;
	*octets = 0;
	*crc = 0;
	char *to = buf_reserve(&content, BACKUP_PIECE);
	ssize_t n = to == NULL ? -1 : 1;
	while (n > 0) {
		n = pread(fd, to, BACKUP_PIECE, (off_t)*octets);
		if (n > 0) {
			*crc = crc32c(*crc, str_make(to, (size_t)n));
			*octets += (uint64_t)n;
		}
	}
	e = n < 0 ? backup_fault(path.z) : fsync(fd) != 0 ? backup_fault(path.z) : OK;
	close(fd);
	return e;
}

static err backup_database(const char *data, const char *target, struct buf *manifest, struct backup_result *out)
{
	struct backup_path from, to;
	struct db *db;
	uint64_t octets = 0;
	uint32_t crc = 0;
	err e = backup_path_join(&from, data, "pombo.db");

	if (e == OK)
		e = backup_path_join(&to, target, "pombo.db");
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
	struct backup_copy c = {.octets = size};
	char number_text[SEGMENT_NAME_MAX], name[SEGMENT_NAME_MAX + 8];

	segment_name(number, number_text);
	snprintf(name, sizeof(name), "bodies/%s", number_text);
	err e = backup_copy_file(data, name, target, name, &c);
	if (e == OK)
		manifest_line(manifest, name, c.done, c.crc);
	return e;
}

/* The copy says which segments it needs, and how much of them. They are immutable up to there. */
static err backup_segments(const char *data, const char *target, struct buf *manifest, struct backup_result *out)
{
	struct backup_path path;
	struct db *db;
	err e = backup_path_join(&path, target, "pombo.db");

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
	struct backup_path path;
	err e = backup_path_join(&path, target, "manifest");

	buf_puts(manifest, "end\n");
	if (manifest->full)
		return err_note(E_MEMORY, "no memory for the manifest");
	return e == OK ? file_replace(path.z, buf_str(manifest), 0600) : e;
}

static err backup_files(const char *data, const char *target, struct backup_result *out)
{
	BUF(manifest, BACKUP_MANIFEST_MAX);

	buf_puts(&manifest, BACKUP_MANIFEST_HEAD "\n");
	err e = backup_database(data, target, &manifest, out);
	if (e == OK)
		e = backup_segments(data, target, &manifest, out);
	if (e == OK)
		e = backup_folders_sync(target);
	return e == OK ? write_manifest(target, &manifest) : e;
}

err backup_run(const char *data, const char *target, struct backup_result *out)
{
	int lock, folder = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = (struct backup_result){0};
	if (folder < 0)
		return backup_fault(data);
	err e = folder_lock_bodies(folder, false, &lock);
	close(folder);
	if (e != OK)
		return e;
	e = backup_folders_make(target);
	if (e == OK)
		e = backup_files(data, target, out);
	close(lock);
	return e;
}
