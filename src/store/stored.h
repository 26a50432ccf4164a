/* SPDX-License-Identifier: ISC */
/* stored - what is stored of a message, read whole. */
#ifndef STORE_STORED_H
#define STORE_STORED_H

#include "store/readers.h"

/* In any thread: headers and body of a message; *body is a view into `memory`, which is overwritten. E_END: it is no longer there. E_SYNTAX: damaged. */
MUST_USE err stored_read(struct readers *readers, struct db *db, uint64_t message, struct buf *memory, str *body);

#endif
