/* SPDX-License-Identifier: ISC */
/* relay - which way mail for other servers goes, as the configuration says. Pure.
 *
 * A destination is the name of a way, and what mail is grouped by: recipients of one message with the same destination share a transaction, and
 * messages with the same destination share connections and their limits. It is "example.com" (its MX), "example.com #3" (its MX, as a route asks that has
 * settings of its own), or the number of a static route with what it leads to, "#2 smtp relay.example.net:25", or the inner server of a relayed domain,
 * "example.net smtp 10.0.0.5:25".
 */
#ifndef CONF_RELAY_H
#define CONF_RELAY_H

#include "conf/config.h"

/* May a client at this address (host part; "unix" when relay-from has the word) send to other servers without AUTH? */
bool relay_client_allowed(const struct config *c, str client);

struct relay_way {
	const struct config_route *route; /* NULL: an inner server */
	const struct config_hop *hop;
	str name;                          /* HOP_MX: the domain whose MX are asked; else the hop's host */
	const struct config_domain *inner; /* whose mail an inner server has; NULL: a route's */
};
/* For a recipient's domain (A-label, lower case, or an address literal in brackets) and a reverse-path. Never fails: the last route takes all. */
struct relay_way relay_way(const struct config *c, str domain, str sender);
/* Appends the destination of a way; 300 octets at most. */
enum { DESTINATION_MAX = 300, DESTINATION_BESIDE = 20 }; /* BESIDE: of it, what is not names */
void relay_destination(struct buf *out, const struct config *c, const struct relay_way *way);

#endif
