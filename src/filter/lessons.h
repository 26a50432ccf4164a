/* SPDX-License-Identifier: ISC */
/* lessons - messages that somebody says are spam, or none: the store hands them out, here their words are found, the store counts them. */
#ifndef FILTER_LESSONS_H
#define FILTER_LESSONS_H

#include "link/link.h"

/* Learns until it is cancelled; for a coroutine of its own. */
void lessons_run(struct link *store);

#endif
