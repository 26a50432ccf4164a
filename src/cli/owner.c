/* SPDX-License-Identifier: ISC */
#include "cli/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/confine.h"
#include "role/folder.h"
#include "role/listeners.h"

static err folder_give(const char *path, const struct folder_owner *owner)
{
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? OK : err_note(E_IO, "%s: %s", path, strerrordesc_np(errno));
	/* Whoever owns the folder above may have put a link in its place meanwhile. */
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err e = fd >= 0 && fchown(fd, owner->uid, owner->gid) == 0
	                ? OK
	                : err_note(E_IO, "%s: %s", path, strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return e;
}

static err become(const struct folder_owner *owner)
{
	umask(077);
	return geteuid() == 0 ? confine_user(owner->uid, owner->gid) : OK;
}

err owner_become(const struct config *config, const char *folder)
{
	struct folder_owner owner;
	err e = folder_owner(config, &owner);

	if (e == OK && folder != NULL && geteuid() == 0)
		e = folder_give(folder, &owner);
	return e == OK ? become(&owner) : e;
}

err owner_become_in_data(const struct config *config)
{
	struct folder_owner owner;
	err e = folder_owner(config, &owner);

	if (e == OK)
		e = folder_prepare(config, &owner);
	return e == OK ? become(&owner) : e;
}

err owner_is_alone(const struct config *config)
{
	struct net_address control;
	err e = listeners_control_address(config->data, &control);
	int fd = e == OK ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return e == OK ? err_note(E_IO, "socket: %s", strerrordesc_np(errno)) : e;
	bool answered = connect(fd, (const struct sockaddr *)&control.sa, control.n) == 0;
	close(fd);
	return answered ? err_note(E_BUSY, "a server is running on " STR_FMT, STR_ARG(config->data)) : OK;
}
