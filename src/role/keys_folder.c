/* SPDX-License-Identifier: ISC */
#include "role/keys_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "rt/file.h"

err keys_folder_open_within(int folder, const char *name, int *within)
{
	if (mkdirat(folder, name, 0700) != 0 && errno != EEXIST)
		return err_note(E_IO, "%s: %s", name, strerrordesc_np(errno));
	*within = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *within >= 0 ? OK : err_note(E_IO, "%s: %s", name, strerrordesc_np(errno));
}

err keys_folder_open(const struct config *config, int *folder)
{
	ARENA(a, 8192);
	const char *path = arena_z(&a, arena_printf(&a, STR_FMT "/keys", STR_ARG(config->data)));

	return path == NULL ? err_note(E_LIMIT, "the data folder's name is too long")
	                    : keys_folder_open_within(AT_FDCWD, path, folder);
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

err keys_folder_write(int folder, const char *name, str content)
{
	(void)unlinkat(folder, name, 0);
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct iovec iov = {(void *)(uintptr_t)content.p, content.n};

	if (fd < 0)
		return err_note(E_IO, "keys/%s: %s", name, strerrordesc_np(errno));
	err e = file_write_all(fd, &iov, 1, 0);
	if (e == OK)
		e = file_sync(fd);
	close(fd);
	return e;
}
