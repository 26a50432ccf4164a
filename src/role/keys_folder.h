/* SPDX-License-Identifier: ISC */
/* keys_folder - data/keys: private keys that we made ourselves. Whoever owns the data folder could have put a link there, and it is root who reads: none is followed. */
#ifndef ROLE_KEYS_FOLDER_H
#define ROLE_KEYS_FOLDER_H

#include <sys/stat.h>

#include "conf/config.h"

/* Made when it is not there, with mode 0700. E_IO. The caller closes it. */
MUST_USE err keys_folder_open(const struct config *config, int *folder);
/* The same for a folder in it. */
MUST_USE err keys_folder_open_within(int folder, const char *name, int *within);
/* A file of it, whole. E_NOT_FOUND; E_LIMIT: it is larger than `out` may be, or no file; E_IO. `st` may be NULL. */
MUST_USE err keys_folder_read(int folder, const char *name, struct buf *out, struct stat *st);
MUST_USE err keys_folder_write(int folder, const char *name, str content); /* with mode 0600, synced; replaces. */

#endif
