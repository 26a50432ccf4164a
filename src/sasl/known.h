/* SPDX-License-Identifier: ISC */
/* known - from which networks each account was logged into of late: the last 16, for 30 days each. Only who has logged in
 * adds to it, and only to his own account's. It is in memory, and the store keeps it over restarts: a day's first login from a
 * network is noted there (the call grant), and what it has comes with the account (the call credential).
 */
#ifndef SASL_KNOWN_H
#define SASL_KNOWN_H

#include "base/arena.h"
#include "base/map.h"
#include "rt/rt.h"

struct known {
	struct map accounts;
};
void known_init(struct known *k);
void known_free(struct known *k);

/* `client`: from guess_key. Its network is the /24 of an IPv4 address, the /64 of an IPv6 address. */
void known_note(struct known *k, uint64_t account, str client);
/* What the store has noted: a network in hexadecimal, and when there was a login from it, in microseconds since 1970. */
void known_learn(struct known *k, uint64_t account, str network, uint64_t at);
/* The network of `client` as the store has it, when a login from there is to be noted; "": it was, within a day, or it has none. */
str known_due(const struct known *k, uint64_t account, str client, struct arena *a);
bool known_is(const struct known *k, uint64_t account, str client);

#endif
