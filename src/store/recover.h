/* SPDX-License-Identifier: ISC */
/* recover - what the folder of segments needs before the writer starts: what a crash left is cut off or left alone, never trusted. */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "store/writer.h"

/* Sets start's current segment, its end and the number of the next. */
MUST_USE err recover_segments(struct db *db, int bodies, struct writer_start *start);
/* Are there any segments? */
MUST_USE err recover_has_segments(int bodies, bool *any);

/* Calls `fn` for each file with a segment's name, in no order. E_IO. */
MUST_USE err recover_each(int bodies, err (*fn)(void *arg, uint64_t number), void *arg);

#endif
