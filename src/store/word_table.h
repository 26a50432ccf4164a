/* SPDX-License-Identifier: ISC */
/* word_table - the call `model`: what was learned, as a table. That of all is large, and every filter asks for it: it is built once a change, by a worker thread, and at
 * most a twentieth of the time. */
#ifndef STORE_WORD_TABLE_H
#define STORE_WORD_TABLE_H

#include "base/buf.h"
#include "rt/rt.h"

struct word_table {
	uint64_t version; /* 0: none was built */
	struct buf bytes;
	nsec next; /* not built again before */
};
void word_table_free(struct word_table *t);

#endif
