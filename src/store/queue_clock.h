/* SPDX-License-Identifier: ISC */
/* queue_clock - how long mail has been in the queue, whatever happens to the wall clock. When that jumps, ahead or back, by more than a quarter of the time that mail
 * may stay (a clock that was not set at boot, or a machine that was off or asleep for days), `expires` of all that is queued moves along: nothing is given
 * up because of it, and nothing is kept for years. The database knows, by the hour, when the store was last alive. */
#ifndef STORE_QUEUE_CLOCK_H
#define STORE_QUEUE_CLOCK_H

#include "store/queue_state.h"

/* When the store is opened, before anybody looks at the queue. */
MUST_USE err queue_clock_open(struct db *db, const struct config *config);
void queue_clock_begin(struct queue *q);
/* In the queue's coroutine, before it looks for what is over. */
MUST_USE err queue_clock_check(struct store *s);
/* What time it is for mail whose time may be over: not what the clock says since it jumped. */
uint64_t queue_clock_now(const struct store *s);

#endif
