/* SPDX-License-Identifier: ISC */
/* known - from which networks each account was logged into of late: the last 16, for 30 days each, in memory. Only
 * who has logged in adds to it, and only to his own account's.
 */
#ifndef SASL_KNOWN_H
#define SASL_KNOWN_H

#include "base/map.h"
#include "rt/rt.h"

struct known {
	struct map accounts;
};
void known_init(struct known *k);
void known_free(struct known *k);

/* `client`: from guess_key. Its network is the /24 of an IPv4 address, the /64 of an IPv6 address. */
void known_note(struct known *k, uint64_t account, str client);
bool known_is(const struct known *k, uint64_t account, str client);

#endif
