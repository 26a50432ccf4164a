/* SPDX-License-Identifier: ISC */
/* keys_folder - data/keys: private keys that we made ourselves. Whoever owns the data folder could have put a link there, and it is root who reads: none is followed.
 *
 * Where a server was started as root the folder is root's: its other processes, which are the owner of the data folder, have no business there. A command that root runs
 * before does not know who will start the server: it makes the folder for the user that the server would give root up for, and a server that is root takes it back. What is
 * made in it belongs to whom it belongs to.
 */
#ifndef ROLE_KEYS_FOLDER_H
#define ROLE_KEYS_FOLDER_H

#include <sys/stat.h>

#include "role/folder.h"

/* By a command: makes the folder for `owner`, when we are root and it is not there; then nothing else in the data folder is touched. E_IO. */
MUST_USE err keys_folder_give(const struct config *config, const struct folder_owner *owner);
/* By the server: when we are root, and it is there, it becomes root's. E_IO. */
MUST_USE err keys_folder_take(const struct config *config);
/* Made when it is not there, with mode 0700. E_IO. The caller closes it. */
MUST_USE err keys_folder_open(const struct config *config, int *folder);
/* The same for a folder in it. */
MUST_USE err keys_folder_open_within(int folder, const char *name, int *within);
/* A file of it, whole. E_NOT_FOUND; E_LIMIT: it is larger than `out` may be, or no file; E_IO. `st` may be NULL. */
MUST_USE err keys_folder_read(int folder, const char *name, struct buf *out, struct stat *st);
/* With mode 0600, synced, all of it or nothing; replaces. */
MUST_USE err keys_folder_write(int folder, const char *name, str content);
MUST_USE err keys_folder_add(int folder, const char *name, str content); /* the same, but E_EXISTS when it is there */

#endif
