/* SPDX-License-Identifier: ISC */
/* guess - slows down those who try passwords.
 *
 * By client address (IPv6: by /64; never loopback): after 5 failures within a minute each further attempt waits, up
 * to 5 s; beyond 20 it is refused without a look, and one more is allowed every 12 s. A client may wait for 20 of
 * its attempts at once.
 *
 * By account, from wherever they come: after 10 failures within ten minutes each further attempt waits, up to 5 s;
 * beyond 60 it is refused without a look, and one more is allowed every minute. Names that nobody has are counted in
 * the same way, so that nothing can be learned from it.
 *
 * Neither of the two locks the owner out: a client from whose network the account was logged into within 30 days
 * (known.h) is counted on its own, by its address and this account together, with the limits of an address. What
 * others fail, at the same account or behind the same address, does not count against it, nor what it fails against
 * others.
 */
#ifndef SASL_GUESS_H
#define SASL_GUESS_H

#include "base/arena.h"
#include "rt/net.h"
#include "sasl/crowd.h"
#include "sasl/known.h"
#include "sasl/recent.h"

struct guess {
	/* until when the failures of each count */
	struct recent clients, accounts, pairs; /* pairs: of a client that is known, and an account */
	struct known known;
	struct crowd delayed;
};
void guess_init(struct guess *g);
void guess_free(struct guess *g);

/* What failures of this client are counted by; empty: they are not. `client` is the host part of an address or
 * "unix"; `address` holds the bytes. */
str guess_key(str client, struct net_address *address);

/* Who tries to be whom. Views live as long as the caller's. */
struct guesser {
	str client; /* guess_key's */
	str name;   /* of the account, there or not, always written in the same way; "" not known yet */
	str pair;
	bool known;
};
/* `account`: 0 there is none. */
struct guesser guess_of(const struct guess *g, str client, str name, uint64_t account, struct arena *a);

MUST_USE err guess_check(const struct guess *g, const struct guesser *who); /* E_BUSY: too many failures */
MUST_USE err guess_wait(struct guess *g, const struct guesser *who);        /* E_BUSY; E_CANCELLED */
/* True: with this failure strangers are refused at this account for a while. */
bool guess_failed(struct guess *g, const struct guesser *who);
void guess_succeeded(struct guess *g, const struct guesser *who, uint64_t account);

MUST_USE err guess_overloaded(void); /* sets E_BUSY: too many logins at once */

#endif
