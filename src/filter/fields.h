/* SPDX-License-Identifier: ISC */
/* fields - what the filter writes into a message's header. Pure. */
#ifndef FILTER_FIELDS_H
#define FILTER_FIELDS_H

#include "base/buf.h"

/* Of junk: X-Spam-Flag, and X-Spam-Status with points and reasons. */
void fields_junk(struct buf *out, int64_t points, str reasons);

#endif
