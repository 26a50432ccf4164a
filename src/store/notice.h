/* SPDX-License-Identifier: ISC */
/* notice - mail that the store writes itself. */
#ifndef STORE_NOTICE_H
#define STORE_NOTICE_H

#include "store/state.h"

/* Tells postmaster, and the owner of the account (0: none), that `login` has sent all that it may in an hour, in a message that is accepted like any
 * other. Returns at once; that it could not be written is logged. */
void notice_limit(struct store *s, uint64_t account, str login, uint64_t limit);

#endif
