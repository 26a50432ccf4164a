/* SPDX-License-Identifier: ISC */
/* web - what a request by HTTPS needs before it is made (rt/http.h looks up no name). */
#ifndef RELAY_WEB_H
#define RELAY_WEB_H

#include "relay/state.h"

/* The addresses of a host that `domain`, of somebody else, names, those of IPv6 first. E_NOT_FOUND: there is none, or none is known now; E_CANCELLED.
 * None that is this machine, or is no address of the Internet: a name could make us ask what only we can reach. Except where the mail of `domain` may go there as well
 * (route ... loopback allow). */
MUST_USE err web_addresses(const struct relay *r, str domain, str host, uint16_t port, struct arena *a, nsec deadline,
                           struct net_address **out, size_t *n);

#endif
