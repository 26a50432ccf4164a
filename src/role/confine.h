/* SPDX-License-Identifier: ISC */
/* confine - gives up what a role does not need: user, root folder, new privileges, core dumps, files and connections (Landlock),
 * threads, system calls (seccomp). */
#ifndef ROLE_CONFINE_H
#define ROLE_CONFINE_H

#include "conf/config.h"
#include "role/process.h"

/* Started as root: becomes the owner of the data folder (see folder.h) inside an empty root, or, for the store, inside the data folder.
 * Started by anyone else, what the kernel does not grant is named in `missing`. An error: do not go on. */
MUST_USE err confine(const struct config *config, const struct role_type *type, struct buf *missing);

/* The monitor gives up what nobody ever needs: it needs the rest, for the roles that it starts inherit what it gives up. */
MUST_USE err confine_monitor(struct buf *missing);

/* Makes a folder the root folder. As root. */
MUST_USE err confine_to_folder(const char *path);
/* Becomes this user for good, in all threads. */
MUST_USE err confine_user(uid_t uid, gid_t gid);

#endif
