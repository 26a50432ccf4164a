/* SPDX-License-Identifier: ISC */
/* compact - segments that are mostly dead are emptied: live records are copied into the current segment, each with what is so of it now (store/present.h), tombstones
 * and moves that are still needed too, rows are updated, the file is removed. Runs once a minute in a coroutine, in small steps between other work.
 *
 * Files are removed only under an exclusive lock on data/bodies.lock, which is tried, not waited for; whoever copies or reads many segments
 * (backup, verify) holds it shared. What could not be removed is swept the next time.
 */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "store/state.h"

MUST_USE err compactor_start(struct store *s);
void compactor_stop(struct store *s); /* asks; store_close waits */

struct compaction {
	uint64_t segments, octets; /* emptied, and their size */
};
/* Parks. `all`: every segment with anything dead in it, but the current. E_BUSY: it is running already. */
MUST_USE err compact(struct store *s, bool all, struct compaction *done);

#endif
