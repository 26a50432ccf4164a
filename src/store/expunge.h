/* SPDX-License-Identifier: ISC */
/* expunge - items leave a mailbox: rows, counters, a tombstone in the segment. */
#ifndef STORE_EXPUNGE_H
#define STORE_EXPUNGE_H

#include "store/state.h"

/* Parks. uids that are not there are passed over. Done in steps of 1000: a crash leaves some expunged, none twice. */
MUST_USE err expunge(struct store *s, uint64_t mailbox, const struct uid *uids, size_t n);

#endif
