/* SPDX-License-Identifier: ISC */
#include "role/keys_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "rt/file.h"

#define NEW_NAME ".new"

enum { PATH_MEMORY = 8 << 10 };

static err failed(const char *name)
{
	return err_note(E_IO, "%s: %s", name, strerrordesc_np(errno));
}

static err open_folder(int parent, const char *name, int *folder)
{
	*folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *folder >= 0 ? OK : failed(name);
}

/* What root makes in a folder of another one's belongs to that one. */
static err inherit(int folder, int made, const char *name)
{
	struct stat st;

	if (geteuid() != 0)
		return OK;
	return fstat(folder, &st) == 0 && fchown(made, st.st_uid, st.st_gid) == 0 ? OK : failed(name);
}

err keys_folder_open_within(int folder, const char *name, int *within)
{
	bool made = mkdirat(folder, name, 0700) == 0;

	if (!made && errno != EEXIST)
		return failed(name);
	err e = open_folder(folder, name, within);
	return e == OK && made ? inherit(folder, *within, name) : e;
}

/* NULL: too long. */
static const char *path_of(const struct config *config, struct arena *a)
{
	return arena_z(a, arena_printf(a, STR_FMT "/keys", STR_ARG(config->data)));
}

static err too_long(void)
{
	return err_note(E_LIMIT, "the data folder's name is too long");
}

err keys_folder_open(const struct config *config, int *folder)
{
	ARENA(a, PATH_MEMORY);
	const char *path = path_of(config, &a);

	if (path == NULL)
		return too_long();
	return mkdir(path, 0700) == 0 || errno == EEXIST ? open_folder(AT_FDCWD, path, folder) : failed(path);
}

static err own(const char *path, uid_t uid, gid_t gid)
{
	int folder = -1;
	err e = open_folder(AT_FDCWD, path, &folder);

	if (e == OK && fchown(folder, uid, gid) != 0)
		e = failed(path);
	if (folder >= 0)
		close(folder);
	return e;
}

err keys_folder_give(const struct config *config, const struct folder_owner *owner)
{
	ARENA(a, PATH_MEMORY);
	const char *path = path_of(config, &a);

	if (path == NULL)
		return too_long();
	if (geteuid() != 0)
		return OK;
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? OK : failed(path);
	return own(path, owner->uid, owner->gid);
}

err keys_folder_take(const struct config *config)
{
	ARENA(a, PATH_MEMORY);
	const char *path = path_of(config, &a);
	struct stat st;

	if (path == NULL)
		return too_long();
	return geteuid() == 0 && lstat(path, &st) == 0 && st.st_uid != 0 ? own(path, 0, 0) : OK;
}

static err read_open(int fd, const char *name, struct buf *out, struct stat *st)
{
	bool good = fstat(fd, st) == 0 && S_ISREG(st->st_mode) && (size_t)st->st_size <= out->cap;
	char *to = good ? buf_reserve(out, (size_t)st->st_size) : NULL;
	err e = to == NULL ? err_note(E_LIMIT, "keys/%s is no file of ours", name)
	                   : file_read_at(fd, to, (size_t)st->st_size, 0);

	if (e == OK)
		buf_commit(out, (size_t)st->st_size);
	return e;
}

err keys_folder_read(int folder, const char *name, struct buf *out, struct stat *st)
{
	struct stat own;
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? E_NOT_FOUND : err_note(E_IO, "keys/%s: %s", name, strerrordesc_np(errno));
	err e = read_open(fd, name, out, st == NULL ? &own : st);
	close(fd);
	return e;
}

/* Whole, on the disk, under a name that nobody reads. */
static err write_new(int folder, str content)
{
	(void)unlinkat(folder, NEW_NAME, 0); /* a crash left it */
	int fd = openat(folder, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct iovec iov = {(void *)(uintptr_t)content.p, content.n};

	if (fd < 0)
		return failed("a new key");
	err e = inherit(folder, fd, "a new key");
	if (e == OK)
		e = file_write_all(fd, &iov, 1, 0);
	if (e == OK)
		e = file_sync(fd);
	close(fd);
	return e;
}

/* Renamed when it is whole: a crash leaves all of it or nothing. `flags` as of renameat2(2). */
static err write_and_rename(int folder, const char *name, str content, unsigned flags)
{
	err e = write_new(folder, content);

	if (e != OK)
		return e;
	if (renameat2(folder, NEW_NAME, folder, name, flags) != 0) {
		e = errno == EEXIST ? err_note(E_EXISTS, "keys/%s is there", name)
		                    : err_note(E_IO, "keys/%s: %s", name, strerrordesc_np(errno));
		(void)unlinkat(folder, NEW_NAME, 0);
		return e;
	}
	return fsync(folder) == 0 ? OK : failed(name);
}

/* One at a time: the server, and commands beside it. */
static err write_alone(int folder, const char *name, str content, unsigned flags)
{
	int lock = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err e = lock >= 0 && flock(lock, LOCK_EX) == 0 ? OK : failed(name);

	if (e == OK)
		e = write_and_rename(folder, name, content, flags);
	if (lock >= 0)
		close(lock);
	return e;
}

err keys_folder_write(int folder, const char *name, str content)
{
	return write_alone(folder, name, content, 0);
}

err keys_folder_add(int folder, const char *name, str content)
{
	return write_alone(folder, name, content, RENAME_NOREPLACE);
}
