/* SPDX-License-Identifier: ISC */
/* queue - mail for other servers: its rows, who has it in hands, and when the rest is due.
 *
 * What is due is in the database alone; in memory is one struct a destination (schedule.c) and one a lease. A destination has at most as many leases
 * as its window: it begins with a few, grows by one with each success up to `queue per-destination`, and is 1 after a failure to reach it, when
 * nothing of it is due before it may be tried again. Destinations take turns, so that a long queue for one delays no other,
 * and so do the senders of each.
 * Those that ended their time (`expires`) are leased even when their destination is not reached: their senders are told.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "store/store.h"

enum queue_state { QUEUE_WAITING, QUEUE_HELD, QUEUE_FAIL, QUEUE_QUARANTINED };

/* `due` of rows: those that need no attempt any more come before all others, and those that are held behind all, so that both are found, or passed
 * over, by the index alone. A held row keeps its time: QUEUE_DUE_HELD is added to it. */
enum { QUEUE_DUE_FAIL = 0, QUEUE_DUE_EXPIRED = 1 };
#define QUEUE_DUE_HELD (1ull << 62)
/* The destination of what was held back for a mailbox here and is to be failed: `send` makes the report, and nothing is sent there. */
#define QUEUE_FAILED_HERE "here"

struct queue; /* of an open store */

/* Reads which destinations there are. */
MUST_USE err queue_open(struct store *s);
void queue_close(struct store *s); /* wakes all who wait, with E_TEMP */
void queue_free(struct store *s);  /* when nobody is inside of a call any more */

/* After a commit, on the loop: there is mail for a destination in a lane (store/message.h) at `due` (microseconds). */
void queue_added(struct store *s, str destination, uint64_t lane, uint64_t due);
void queue_process_gone(struct store *s, const char *from); /* its leases are nobody's again */

/* The calls of the message table. */
MUST_USE err store_lease(struct store *s, const char *from, const struct lease_request *q, struct lease_reply *r,
                         struct arena *a);
MUST_USE err store_settle(struct store *s, const char *from, const struct settle_request *q);
MUST_USE err store_fate(struct store *s, const char *from, const struct fate_request *q, struct fate_reply *r,
                        struct arena *a);
MUST_USE err store_policy(struct store *s, const struct policy_request *q, struct policy_reply *r, struct arena *a);

#endif
