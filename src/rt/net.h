/* SPDX-License-Identifier: ISC */
/* net - sockets: addresses, listening, accepting. */
#ifndef RT_NET_H
#define RT_NET_H

#include <sys/socket.h>

#include "base/buf.h"
#include "rt/rt.h"

struct net_address {
	struct sockaddr_storage sa;
	socklen_t n; /* 0: none */
};

/* "192.0.2.1:25", "[::1]:25" or "unix:/path"; no names. E_SYNTAX. */
MUST_USE err net_address_parse(str text, struct net_address *out);
void net_address_print(struct buf *out, const struct net_address *a); /* as parse reads it */
void net_address_host(struct buf *out, const struct net_address *a);  /* without the port; "unix" for a Unix socket */
bool net_address_is_loopback(const struct net_address *a);            /* 127/8, ::1, mapped 127/8, Unix socket */
bool net_address_equal_host(const struct net_address *a, const struct net_address *b);
str net_address_key(const struct net_address *a); /* bytes of the host, /64 for IPv6: a key to count by */

/* Bound and listening, non-blocking, close-on-exec, SO_REUSEADDR, backlog 1024 (V6ONLY for IPv6). A stale Unix
 * socket is replaced. E_EXISTS: in use. E_DENIED: no right to the port or folder. E_NOT_FOUND, E_IO, E_CLOSED: else. */
MUST_USE err net_listen(const struct net_address *a, int *fd);
/* Waits for the next connection (TCP_NODELAY set). EMFILE and the like: backs off 100 ms and goes on, logs once a
 * minute. */
MUST_USE err net_accept(struct rt_fd *listener, int *fd, struct net_address *peer, nsec deadline);
/* From the address `source` (its port counts when it is not 0; NULL or n 0: the system's choice); TCP_NODELAY set. E_NOT_FOUND: no such Unix socket.
 * E_DENIED. E_CLOSED: refused or unreachable. E_TIMEOUT. E_CANCELLED. E_IO: not for want of the peer: `source` is not ours, no descriptors. err_info
 * names the address. */
MUST_USE err net_connect(const struct net_address *to, const struct net_address *source, int *fd, nsec deadline);
/* The address that the system would connect to `to` from; nothing is sent. E_CLOSED, not noted: there is no way there. */
MUST_USE err net_source(const struct net_address *to, struct net_address *out);
/* Is it an address of this machine? False also where nobody can tell (ip_nonlocal_bind). */
bool net_is_local(const struct net_address *a);

#endif
