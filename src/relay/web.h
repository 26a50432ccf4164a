/* SPDX-License-Identifier: ISC */
/* web - what a request by HTTPS needs before it is made (rt/http.h looks up no name). */
#ifndef RELAY_WEB_H
#define RELAY_WEB_H

#include "dns/dns.h"

/* The addresses of a host, those of IPv6 first. E_NOT_FOUND: there is none, or none is known now; E_CANCELLED. */
MUST_USE err web_addresses(const struct resolver *r, str host, uint16_t port, struct arena *a, nsec deadline,
                           struct net_address **out, size_t *n);

#endif
