/* SPDX-License-Identifier: ISC */
/* identity - what somebody who is logged in may write as (RFC 6409 6.1): his own address, aliases that lead to him, what he catches, and what the
 * administrator has granted. */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include "store/state.h"

/* E_DENIED: 550 5.7.1, which names what is allowed. E_TEMP. */
MUST_USE err identity_check(struct store *s, uint64_t account, str address, struct arena *a);

#endif
