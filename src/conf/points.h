/* SPDX-License-Identifier: ISC */
/* points - what a rule counts, as it is written: "5", "1.5", "-0.25". In memory thousandths. */
#ifndef CONF_POINTS_H
#define CONF_POINTS_H

#include "base/buf.h"

enum { POINTS_MAX = 1000 * 1000 }; /* thousandths, either way */

bool points_parse(str word, int64_t *points); /* at most three decimals, at most POINTS_MAX */
void points_print(struct buf *out, int64_t points);

#endif
