/* SPDX-License-Identifier: ISC */
/* folder - the data folder and whose it is. */
#ifndef ROLE_FOLDER_H
#define ROLE_FOLDER_H

#include <sys/types.h>

#include "conf/config.h"

struct folder_owner {
	uid_t uid;
	gid_t gid;
	bool fallback; /* there is no user of the configured name: nobody */
};
/* Root: the configured user, or nobody. Others: themselves. E_NOT_FOUND. Takes more stack than a coroutine has. */
MUST_USE err folder_owner(const struct config *config, struct folder_owner *out);

/* Makes sure that the folder is there, with mode 0700, and belongs to `owner`. Folders above it are made as well. E_DENIED, E_IO. */
MUST_USE err folder_prepare(const struct config *config, const struct folder_owner *owner);

#endif
