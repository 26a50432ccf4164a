/* SPDX-License-Identifier: ISC */
/* readers - connections and open segments for those who only read. All functions may be called by several threads. */
#ifndef STORE_READERS_H
#define STORE_READERS_H

#include "store/db.h"
#include "store/segment.h"

struct readers;
/* `bodies`: the folder's descriptor, the caller's. */
MUST_USE err readers_start(const char *database, int bodies, struct readers **out);
void readers_stop(struct readers *r); /* NULL allowed; nothing may be taken */

MUST_USE err readers_take(struct readers *r,
                          struct db **out); /* a connection for this thread alone, until readers_give */
void readers_give(struct readers *r, struct db *db);

/* Octets [at, at + n) of a segment. E_NOT_FOUND: compaction has removed it; E_END: it is shorter. */
MUST_USE err readers_read(struct readers *r, uint64_t segment, uint64_t at, char *p, size_t n);
/* The same, if no disk has to be waited for; else E_BUSY, not noted. */
MUST_USE err readers_read_cached(struct readers *r, uint64_t segment, uint64_t at, char *p, size_t n);
void readers_forget(struct readers *r, uint64_t segment); /* its file was removed */

#endif
