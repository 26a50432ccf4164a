/* SPDX-License-Identifier: ISC */
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/rt.h"

static err system_error(const char *what)
{
	return err_note(errno == ENOSPC ? E_FULL : E_IO, "%s: %s", what, strerrordesc_np(errno));
}

static err open_all(const char *path, struct folder *f)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return system_error(path);
	f->self = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->self < 0)
		return system_error(path);
	if (mkdirat(f->self, "bodies", 0700) != 0 && errno != EEXIST)
		return system_error("bodies");
	f->bodies = openat(f->self, "bodies", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->bodies < 0)
		return system_error("bodies");
	f->lock = openat(f->self, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return f->lock < 0 ? system_error("lock") : OK;
}

/* A store that was killed keeps its lock until the kernel has ended what its threads had asked of the disk. */
#define LOCK_WAIT  (2 * NSEC_PER_SEC)
#define LOCK_AGAIN (20 * NSEC_PER_MSEC)

static err take_lock(const char *path, const struct folder *f)
{
	nsec until = rt_after(LOCK_WAIT);

	while (flock(f->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return system_error("lock");
		if (rt_self() == NULL || rt_now() >= until)
			return err_note(E_BUSY, "another process has the store in %s open", path);
		err e = rt_sleep_until(rt_after(LOCK_AGAIN));
		if (e != OK)
			return e;
	}
	return OK;
}

err folder_open(const char *path, struct folder *out)
{
	*out = FOLDER_NONE;
	err e = open_all(path, out);
	if (e == OK)
		e = take_lock(path, out);
	if (e != OK)
		folder_close(out);
	return e;
}

void folder_close(struct folder *f)
{
	if (f->bodies >= 0)
		close(f->bodies);
	if (f->lock >= 0)
		close(f->lock);
	if (f->self >= 0)
		close(f->self);
	*f = FOLDER_NONE;
}

err folder_lock_bodies(int folder, bool exclusive, int *fd)
{
	*fd = openat(folder, "bodies.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		return system_error("bodies.lock");
	if (flock(*fd, exclusive ? LOCK_EX | LOCK_NB : LOCK_SH) == 0)
		return OK;
	err e = errno == EWOULDBLOCK ? err_note(E_BUSY, "segments are being read") : system_error("bodies.lock");
	close(*fd);
	return e;
}
