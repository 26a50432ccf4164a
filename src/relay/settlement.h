/* SPDX-License-Identifier: ISC */
/* settlement - what became of a message is told to the store, however long that takes; when we are being stopped, as well as a moment allows. */
#ifndef RELAY_SETTLEMENT_H
#define RELAY_SETTLEMENT_H

#include "relay/state.h"

/* Returns when the store has it, or does not want it. E_CANCELLED: we are being stopped; a coroutine of its own says it once more, counted as a deliverer, for 2 seconds at most. */
MUST_USE err settlement_tell(struct relay *r, const struct settle_request *q);
/* All of a lease goes back, as if nobody had had it. */
MUST_USE err settlement_give_back(struct relay *r, const struct lease_reply *l);

#endif
