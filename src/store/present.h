/* SPDX-License-Identifier: ISC */
/* present - what an envelope says of its recipients, brought up to now: compaction writes it into the copy of a record. */
#ifndef STORE_PRESENT_H
#define STORE_PRESENT_H

#include "store/db.h"
#include "store/envelope.h"

/* In which mailbox each recipient's item is, as what uid and with which flags, or that it is gone; what became of those on other servers; who is in
 * quarantine still. Texts are in `a`. To be asked in the transaction in which the copy becomes the message's record, else it may be out of date from its birth. */
MUST_USE err envelope_bring_up(struct db *db, struct envelope *e, struct arena *a);

#endif
