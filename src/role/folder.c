/* SPDX-License-Identifier: ISC */
#include "role/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define FALLBACK_USER "nobody"

static const struct passwd *find(const char *name)
{
	const struct passwd *pw = name == NULL ? NULL : getpwnam(name);

	return pw != NULL && pw->pw_uid == 0 ? NULL : pw; /* root is what is to be given up */
}

err folder_owner(const struct config *config, struct folder_owner *out)
{
	ARENA(a, 4096);

	*out = (struct folder_owner){.uid = geteuid(), .gid = getegid()};
	if (out->uid != 0)
		return OK;
	const struct passwd *pw = find(arena_z(&a, config->user));
	out->fallback = pw == NULL;
	if (pw == NULL)
		pw = find(FALLBACK_USER);
	if (pw == NULL)
		return err_note(E_NOT_FOUND, "there is no user " STR_FMT " and no user %s to run as",
		                STR_ARG(config->user), FALLBACK_USER);
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	return OK;
}

static err failed(const char *path)
{
	return err_note(errno == EACCES || errno == EPERM ? E_DENIED : E_IO, "data folder %s: %s", path,
	                strerrordesc_np(errno));
}

/* Every folder above the last one. */
static err make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int made = mkdir(path, 0755);
		if (made != 0 && errno != EEXIST)
			return failed(path);
		*slash = '/';
	}
	return OK;
}

/* Opened first: what was looked at is what is changed. */
static err own(const char *path, const struct folder_owner *owner)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fstat(fd, &st) == 0;

	if (good && (st.st_uid != owner->uid || st.st_gid != owner->gid) && geteuid() == 0)
		good = fchown(fd, owner->uid, owner->gid) == 0 && fstat(fd, &st) == 0;
	if (good && st.st_uid == owner->uid && (st.st_mode & 0777) != 0700)
		good = fchmod(fd, 0700) == 0;
	err e = good ? OK : failed(path);
	if (fd >= 0)
		close(fd);
	return e;
}

err folder_prepare(const struct config *config, const struct folder_owner *owner)
{
	ARENA(a, 8192);
	char *path = arena_z(&a, config->data);

	if (path == NULL)
		return err_note(E_LIMIT, "the data folder's name is too long");
	if (access(path, F_OK) != 0) {
		err e = make_parents(path);
		if (e != OK)
			return e;
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return failed(path);
	}
	return own(path, owner);
}
