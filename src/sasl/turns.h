/* SPDX-License-Identifier: ISC */
/* turns - a few may do something costly at once; the others wait. Clients take turns, and each has a share of the
 * places to wait: who asks for a hundred things at once waits for a hundred, and others for one.
 */
#ifndef SASL_TURNS_H
#define SASL_TURNS_H

#include "rt/rt.h"
#include "sasl/crowd.h"

struct turns {
	size_t free;
	struct crowd waiting;
};
/* `at_once` of them; `waiting` in all, `share` of one client (crowd.h). */
void turns_init(struct turns *t, size_t at_once, size_t waiting, size_t share);
void turns_free(struct turns *t); /* when nobody waits */

/* OK: it is this one's turn, until turns_give. E_BUSY: too many wait. E_TIMEOUT, E_CANCELLED. */
MUST_USE err turns_take(struct turns *t, str client, nsec deadline);
void turns_give(struct turns *t);

#endif
