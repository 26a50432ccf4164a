/* SPDX-License-Identifier: ISC */
/* login_network - from which networks accounts were logged into of late, over restarts of keys (sasl/known.h). */
#ifndef STORE_LOGIN_NETWORK_H
#define STORE_LOGIN_NETWORK_H

#include "link/messages.h"
#include "store/db.h"

#define LOGIN_NETWORKS_MAX 16 /* an account; the latest stay */

MUST_USE err login_network_note(struct db *db, uint64_t account, str network, uint64_t now);
/* Those of r->account, the oldest first, in `a`. */
MUST_USE err login_network_list(struct db *db, struct credential_reply *r, struct arena *a);

#endif
