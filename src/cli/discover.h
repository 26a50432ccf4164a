/* SPDX-License-Identifier: ISC */
/* discover - which server takes somebody's mail: the one that was said, the one on this machine, or what his domain publishes (RFC 6186, 8314). */
#ifndef CLI_DISCOVER_H
#define CLI_DISCOVER_H

#include "cli/submit.h"

struct discovered {
	str host, name; /* name: with the port, as people call it */
	uint16_t port;
	enum submit_tls tls; /* AUTO: nobody said */
	bool local;          /* a Unix socket */
	struct net_address *addresses;
	size_t addresses_n;
};
/* One, or the targets of an SRV record in the order in which they are to be tried (RFC 2782). Parks. E_NOT_FOUND: the domain publishes none, or only such of another domain, which nobody
 * vouches for. */
MUST_USE err discover(const struct submit_server *how, str address, struct arena *a, struct discovered **out,
                      size_t *n);
/* Fills in the addresses of one. Parks. E_NOT_FOUND: there is no such host. */
MUST_USE err discover_addresses(struct discovered *d, struct arena *a);

#endif
