/* SPDX-License-Identifier: ISC */
/* judged - what the filter found out about a message is kept with it, in one transaction, whether the message is accepted or refused: the findings, what was
 * noted of its senders, what is counted for reports to them, and reports of others that it brought. */
#ifndef STORE_JUDGED_H
#define STORE_JUDGED_H

#include "link/messages.h"
#include "store/db.h"

/* In the writer. `at`: microseconds. What is larger than it can be is cut, or left out: a message is not refused for it. */
MUST_USE err judged_keep(struct db *db, uint64_t message, uint64_t at, const struct judgement *j);

/* The beginning of the day (UTC) of `at`. */
uint64_t judged_day(uint64_t at);

#endif
