/* SPDX-License-Identifier: ISC */
/* places - how many deliverers are busy with one host, whatever domains they went there for: so that one that is slow on purpose, behind any number of
 * domains, does not hold all of them. A host is an address; with IPv6 a network of 64 bits, because who has one address has that many. */
#ifndef RELAY_PLACES_H
#define RELAY_PLACES_H

#include "base/map.h"
#include "rt/net.h"

struct place; /* at a host: how many are taken */
struct places {
	struct map by_host;
};

void places_init(struct places *p);
void places_free(struct places *p); /* all were given back */
/* E_BUSY: `most` are taken. E_MEMORY. */
MUST_USE err place_take(struct places *p, const struct net_address *host, size_t most, struct place **out);
void place_give(struct places *p, struct place *place); /* NULL allowed */

#endif
