/* SPDX-License-Identifier: ISC */
/* ids - message ids, given out from memory. The database holds the end of the range that this process may use, so that none is given out
 * twice, whatever happens; the clock sees to it even when the database was restored from a backup. */
#ifndef STORE_IDS_H
#define STORE_IDS_H

#include "store/state.h"

MUST_USE err ids_start(struct store *s, struct db *db); /* before the writer runs */
MUST_USE err ids_take(struct store *s, uint64_t *id);   /* E_TEMP: the next range is still being written */

#endif
