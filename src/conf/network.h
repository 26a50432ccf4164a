/* SPDX-License-Identifier: ISC */
/* network - addresses without a port, and networks of them. Pure. */
#ifndef CONF_NETWORK_H
#define CONF_NETWORK_H

#include "conf/config.h"

/* "192.0.2.1" or "2001:db8::1", as net_address_host prints it. E_SYNTAX. */
MUST_USE err network_host(str host, uint16_t port, struct net_address *out);
/* "192.0.2.0/24", "2001:db8::/32"; an address alone is a network of one; "unix". E_SYNTAX with the reason in err_info: also for one that has bits set
 * behind its prefix, and for one that is the whole Internet. */
MUST_USE err network_parse(str text, struct config_network *out);
void network_print(struct buf *out, const struct config_network *n);
bool network_contains(const struct config_network *n, const struct net_address *a);

#endif
