/* SPDX-License-Identifier: ISC */
/* backup - a copy of the data folder while a server runs, and the way back. Blocking: for the command line, in a process of its own.
 *
 * A backup is a folder: pombo.db (one state of the database), bodies/ (the segments up to what that state commits) and, written last,
 * `manifest`: the line "pombo-backup 1", then each file's name, size and CRC-32C, then "end".
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "base/err.h"
#include "base/str.h"

/* UIDs that are skipped in each mailbox when its state comes from a backup or a rebuild: what was given out since must not be used again. */
#define BACKUP_UID_GAP (1u << 20)

/* Microseconds after a restore or a rebuild for which mail for other servers is tried, once it is released. */
#define BACKUP_EXPIRE (5ull * 24 * 3600 * 1000000)

struct backup_result {
	uint64_t segments, octets; /* octets: of all files */
	uint64_t
		held; /* restore: recipients on other servers who waited; they may have got it since, so an administrator decides */
};
/* `target` must not exist or be empty: E_EXISTS. While it runs compaction removes no segment. E_NOT_FOUND: there is no store; E_FULL, E_IO. */
MUST_USE err backup_run(const char *data, const char *target, struct backup_result *out);
/* `data` must not exist or be empty: E_EXISTS. E_NOT_FOUND: no (complete) backup; E_SYNTAX: it was changed since. When it fails half-way the
 * store in `data` refuses to open. */
MUST_USE err restore_run(const char *backup, const char *data, struct backup_result *out);

#endif
