/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/file.h"

static err file_error(const char *what)
{
	switch (errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return err_note(E_FULL, "%s: %s", what, strerrordesc_np(errno));
	case ENOENT:
		return err_note(E_NOT_FOUND, "%s: %s", what, strerrordesc_np(errno));
	default:
		return err_note(E_IO, "%s: %s", what, strerrordesc_np(errno));
	}
}

/* Drops the first n bytes of what iov describes. */
static void iov_advance(struct iovec **iov, int *count, size_t n)
{
	while (*count > 0 && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		++*iov;
		--*count;
	}
	if (*count > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
}

err file_write_all(int fd, struct iovec *iov, int count, off_t at)
{
	iov_advance(&iov, &count, 0);
	while (count > 0) {
		ssize_t n = pwritev(fd, iov, count, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_error("write");
		if (n == 0)
			return err_note(E_IO, "write: nothing was taken");
		at += n;
		iov_advance(&iov, &count, (size_t)n);
	}
	return OK;
}

err file_read_at(int fd, char *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return file_error("read");
		if (got == 0)
			return err_note(E_END, "read: file is too short");
		p += got;
		at += got;
		n -= (size_t)got;
	}
	return OK;
}

err file_read_cached(int fd, char *p, size_t n, off_t at)
{
	struct iovec iov = {p, n};
	ssize_t got;

	do
		got = preadv2(fd, &iov, 1, at, RWF_NOWAIT);
	while (got < 0 && errno == EINTR);
	return got >= 0 && (size_t)got == n ? OK : E_BUSY;
}

err file_sync(int fd)
{
	return fdatasync(fd) < 0 ? file_error("fdatasync") : OK;
}

err file_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return file_error(path);

	err e = fsync(fd) < 0 ? file_error(path) : OK;

	close(fd);
	return e;
}

static err file_read_rest(int fd, const char *path, struct buf *out)
{
	char piece[4096];

	for (;;) {
		ssize_t got = read(fd, piece, sizeof(piece));

		if (got == 0)
			return OK;
		if (got < 0 && errno != EINTR)
			return file_error(path);
		if (got > 0)
			buf_put(out, str_make(piece, (size_t)got));
		if (out->full)
			return err_note(E_LIMIT, "%s: larger than %zu bytes", path, out->cap);
	}
}

err file_read_whole(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return file_error(path);

	err e = file_read_rest(fd, path, out);

	close(fd);
	return e;
}

static err file_fill(int fd, str content, mode_t mode)
{
	struct iovec iov = {(void *)(uintptr_t)content.p, content.n};
	err e = file_write_all(fd, &iov, 1, 0);

	if (e == OK && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		e = file_error("write");
	return e;
}

static err file_sync_parent(const char *path)
{
	str all = str_from(path);
	size_t slash = str_find_last(all, '/');
	char *dir = slash == all.n ? strdup(".") : strndup(path, slash ? slash : 1);
	err e = dir ? file_sync_dir(dir) : err_note(E_MEMORY, "no memory");

	free(dir);
	return e;
}

static err file_replace_by(char *temporary, const char *path, str content, mode_t mode)
{
	int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return file_error(path);

	err e = file_fill(fd, content, mode);

	close(fd);
	if (e == OK && rename(temporary, path) < 0)
		e = file_error(path);
	if (e != OK) {
		(void)unlink(temporary);
		return e;
	}
	return file_sync_parent(path);
}

err file_replace(const char *path, str content, mode_t mode)
{
	char *temporary;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return err_note(E_MEMORY, "no memory");

	err e = file_replace_by(temporary, path, content, mode);

	free(temporary);
	return e;
}

err file_memfd(const char *name, int *fd)
{
	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *fd < 0 ? file_error("memfd") : OK;
}

err file_seal(int fd)
{
	int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

	return fcntl(fd, F_ADD_SEALS, seals) < 0 ? file_error("seal") : OK;
}
