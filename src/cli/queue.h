/* SPDX-License-Identifier: ISC */
/* queue - how the queue is shown to people. */
#ifndef CLI_QUEUE_H
#define CLI_QUEUE_H

#include "base/arena.h"
#include "link/messages.h"

enum { QUEUE_WORDS_MAX = 16, QUEUE_COLUMNS = 7 };

/* "45s" "3m" "5h" "2d", rounded down. */
str queue_period(struct arena *a, int64_t usec);
/* The columns of a recipient in the queue, as the store tells of it; `cells`: room for QUEUE_COLUMNS. `now`: microseconds since 1970. */
void queue_columns(struct arena *a, const struct row *from, int64_t now, struct cell *cells, struct row *to);

#endif
