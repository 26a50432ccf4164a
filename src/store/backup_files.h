/* SPDX-License-Identifier: ISC */
/* backup_files - what a backup and a restore do with files and folders. Blocking. */
#ifndef STORE_BACKUP_FILES_H
#define STORE_BACKUP_FILES_H

#include "base/err.h"
#include "base/str.h"

enum { BACKUP_PIECE = 1 << 20, BACKUP_MANIFEST_MAX = 64 << 20, BACKUP_PATH_OCTETS = 2048 };

#define BACKUP_MANIFEST_HEAD "pombo-backup 1"

struct backup_path {
	char z[BACKUP_PATH_OCTETS];
};
MUST_USE err backup_path_join(struct backup_path *p, const char *folder, const char *name); /* E_LIMIT */
MUST_USE err backup_fault(const char *what); /* of errno: E_FULL, E_NOT_FOUND, E_IO */

/* The folder and `bodies` in it: made, or found without any state in them. E_EXISTS: it is not empty. */
MUST_USE err backup_folders_make(const char *path);
MUST_USE err backup_folders_sync(const char *path);

struct backup_copy {
	uint64_t octets; /* to copy; all of the file: UINT64_MAX */
	uint64_t done;
	uint32_t crc;
	int from, to;
};
/* A new, synced file `as` with the first `octets` of another. E_SYNTAX: it is shorter. */
MUST_USE err backup_copy_file(const char *from_folder, const char *name, const char *to_folder, const char *as,
                              struct backup_copy *c);

#endif
