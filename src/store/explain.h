/* SPDX-License-Identifier: ISC */
/* explain - rows that tell why a message went where it went: `what` is message, recipient, finding, or sum. */
#ifndef STORE_EXPLAIN_H
#define STORE_EXPLAIN_H

#include "store/admin.h"

/* In a worker. `found`: it was accepted or refused once. */
MUST_USE err explain_message(struct admin *x, struct db *db, uint64_t id, bool *found);
/* The text of the findings, copied to the arena; "" none. */
MUST_USE err explain_findings(struct admin *x, struct db *db, uint64_t id, str *text);
/* The decision that they end with, in a few words; "" none. */
str explain_decision(str findings);

#endif
