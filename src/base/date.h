/* SPDX-License-Identifier: ISC */
/* Points in time as microseconds since 1970 UTC (`int64_t`), and how they are written. No local time anywhere. */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include "base/buf.h"

#define USEC_PER_SEC 1000000LL

void date_rfc3339(struct buf *out, int64_t usec); /* 2026-11-21T21:38:00.123Z */
void date_rfc5322(struct buf *out, int64_t usec); /* Sat, 21 Nov 2026 21:38:00 +0000 */
/* With or without fraction and time ("2026-11-21"), Z or offset. */
MUST_USE bool date_parse_rfc3339(str s, int64_t *usec);

#endif
