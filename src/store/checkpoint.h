/* SPDX-License-Identifier: ISC */
/* checkpoint - keeps the database's write-ahead log short. A thread copies the log into the database when it is longer than 8 MiB; it
 * never catches up with a busy writer, so the writer then copies the little that is left between two batches, after which the log
 * begins anew. */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include "store/db.h"

struct checkpointer;
MUST_USE err checkpointer_start(const char *database, struct checkpointer **out);
void checkpointer_stop(struct checkpointer *c); /* NULL allowed */
/* By the writer, between two batches. */
void checkpointer_look(struct checkpointer *c, struct db *writer);

#endif
