/* SPDX-License-Identifier: ISC */
#include "store/backup_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "rt/file.h"

err backup_path_join(struct backup_path *p, const char *folder, const char *name)
{
	int n = snprintf(p->z, sizeof(p->z), "%s/%s", folder, name);

	return n > 0 && (size_t)n < sizeof(p->z) ? OK : err_note(E_LIMIT, "%s: the path is too long", folder);
}

err backup_fault(const char *what)
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
		return backup_fault(path);
	DIR *dir = opendir(path);
	const struct dirent *d;
	bool empty = true;
	if (dir == NULL)
		return backup_fault(path);
	while ((d = readdir(dir)) != NULL)
		empty = empty && is_harmless(d->d_name);
	closedir(dir);
	return empty ? OK : err_note(E_EXISTS, "%s is not empty", path);
}

err backup_folders_make(const char *path)
{
	struct backup_path bodies;
	err e = folder_make(path);

	if (e == OK)
		e = backup_path_join(&bodies, path, "bodies");
	return e == OK ? folder_make(bodies.z) : e;
}

err backup_folders_sync(const char *path)
{
	struct backup_path bodies;
	err e = backup_path_join(&bodies, path, "bodies");

	if (e == OK)
		e = file_sync_dir(bodies.z);
	return e == OK ? file_sync_dir(path) : e;
}

/* --- copying --- */

static err copy_octets(struct backup_copy *c)
{
	char *piece = malloc(BACKUP_PIECE);
	err e = piece == NULL ? err_note(E_MEMORY, "no memory to copy") : OK;

	while (e == OK && c->done < c->octets) {
		uint64_t left = c->octets - c->done;
		ssize_t n = pread(c->from, piece, left < BACKUP_PIECE ? (size_t)left : BACKUP_PIECE, (off_t)c->done);

		if (n < 0)
			e = backup_fault("read");
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

err backup_copy_file(const char *from_folder, const char *name, const char *to_folder, const char *as,
                     struct backup_copy *c)
{
	struct backup_path from, to;
	err e = backup_path_join(&from, from_folder, name);

	if (e == OK)
		e = backup_path_join(&to, to_folder, as);
	if (e != OK)
		return e;
	c->from = open(from.z, O_RDONLY | O_CLOEXEC);
	if (c->from < 0)
		return backup_fault(from.z);
	c->to = open(to.z, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	e = c->to < 0 ? backup_fault(to.z) : copy_octets(c);
	if (e == OK)
		e = file_sync(c->to);
	close(c->from);
	if (c->to >= 0)
		close(c->to);
	return e;
}
