/* SPDX-License-Identifier: ISC */
/* path - files that the configuration names. */
#ifndef ROLE_PATH_H
#define ROLE_PATH_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fnv.h"

/* The whole file. E_NOT_FOUND, E_LIMIT (out's cap), E_IO; the error names the file. */
MUST_USE err path_read(str path, struct buf *out);
/* As stat(2). False: it cannot be looked at; `out` is all zero. */
bool path_stat(str path, struct stat *out);
/* Mixes into `stamp`, which begins as FNV_START, what tells this file from another one and from a changed one. */
uint64_t path_stamp(uint64_t stamp, str path);
/* Forgets a secret that was read. */
void path_wipe(struct buf *b);

#endif
