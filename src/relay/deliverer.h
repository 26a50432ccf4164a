/* SPDX-License-Identifier: ISC */
/* deliverer - a coroutine that leases, delivers and settles. There are a few, and more while all are busy, up to `queue connections`. */
#ifndef RELAY_DELIVERER_H
#define RELAY_DELIVERER_H

#include "relay/state.h"

MUST_USE err deliverer_start(struct relay *r);
void deliverer_ended(struct relay *r);                        /* there is one less */
void deliverers_cancel(struct relay *r, bool idle_only);      /* does not wait for them */
MUST_USE err deliverers_wait(struct relay *r, nsec deadline); /* until none is left; E_TIMEOUT, E_CANCELLED */

#endif
