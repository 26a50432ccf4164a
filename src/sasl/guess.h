/* SPDX-License-Identifier: ISC */
/* guess - slows down those who try passwords, by client address (IPv6: by /64; never loopback): after 5 failures within a minute each
 * further attempt waits, up to 5 s; beyond 20 it is refused without a look, and one more is allowed every 12 s. Nobody can lock an account's owner
 * out: accounts are not counted.
 */
#ifndef SASL_GUESS_H
#define SASL_GUESS_H

#include "rt/net.h"
#include "sasl/recent.h"

struct guess {
	struct recent failures; /* client -> until when its failures count */
	size_t delayed;
};
void guess_init(struct guess *g);
void guess_free(struct guess *g);

/* What failures of this client are counted by; empty: they are not. `client` is the host part of an address or "unix"; `address` holds the bytes. */
str guess_key(str client, struct net_address *address);
MUST_USE err guess_check(const struct guess *g, str key); /* E_BUSY: too many failures */
MUST_USE err guess_wait(struct guess *g, str key);        /* E_BUSY; E_CANCELLED */
void guess_failed(struct guess *g, str key);

MUST_USE err guess_overloaded(void); /* sets E_BUSY: too many logins at once */

#endif
