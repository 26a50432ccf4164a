/* SPDX-License-Identifier: ISC */
/* inside - where a name of somebody else's must not lead us. */
#ifndef RELAY_INSIDE_H
#define RELAY_INSIDE_H

#include "conf/config.h"

/* This machine: loopback, what it listens on, and what `is_local` says (net_is_local; NULL: nobody is asked). */
bool inside_is_ours(const struct config *c, bool (*is_local)(const struct net_address *a), const struct net_address *a);
/* No address of the Internet: private, link-local, shared, multicast (RFC 6890, RFC 4291), also behind NAT64 (RFC 6052). */
bool inside_is_private(const struct net_address *a);

#endif
