/* SPDX-License-Identifier: ISC */
/* day - days (UTC) that reports are about, shorter ones in tests. Times are microseconds since 1970. */
#ifndef RELAY_DAY_H
#define RELAY_DAY_H

#include "base/date.h"
#include "rt/rt.h"

int64_t day_length(nsec every);            /* `every` as configured, 0: a day */
int64_t day_begin(int64_t at, nsec every); /* of the one that `at` is in */
/* The wall's clock may be set meanwhile: it is looked at each hour. E_CANCELLED. */
MUST_USE err day_wait_until(int64_t wall);
/* Not all reports of the world at midnight (RFC 8460 4.1): up to four hours; in tests nothing. E_CANCELLED. */
MUST_USE err day_delay(nsec every);

#endif
