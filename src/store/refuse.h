/* SPDX-License-Identifier: ISC */
/* refuse - messages that are not ours: kept is why, for `pombo explain`, and what was noted. The call does not wait: refusals are gathered for a moment and written
 * together, so that a flood of them costs few transactions. Those of the last moment before a crash are not known. */
#ifndef STORE_REFUSE_H
#define STORE_REFUSE_H

#include "store/state.h"

MUST_USE err refusals_start(struct store *s);
void refusals_stop(struct store *s); /* asks; store_close waits */
void refusals_free(struct store *s);
/* Parks until what was refused before is in the database. */
MUST_USE err refusals_flush(struct store *s);

#endif
