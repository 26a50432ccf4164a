/* SPDX-License-Identifier: ISC */
/* folder - the data folder: its descriptors, and the lock that one process holds. */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <stdbool.h>

#include "base/err.h"

struct folder {
	int self, lock, bodies; /* descriptors, -1: none */
};
#define FOLDER_NONE ((struct folder){-1, -1, -1})

/* Makes what is not there. E_BUSY: another process has the lock. */
MUST_USE err folder_open(const char *path, struct folder *out);
void folder_close(struct folder *f);

/* Locks data/bodies.lock, which keeps compaction (exclusive) apart from those who read many segments: the descriptor, to be closed. E_BUSY: only
 * when exclusive, which does not wait. */
MUST_USE err folder_lock_bodies(int folder, bool exclusive, int *fd);

#endif
