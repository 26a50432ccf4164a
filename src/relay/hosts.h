/* SPDX-License-Identifier: ISC */
/* hosts - from a way to the servers at its end and their addresses (RFC 5321 5.1). */
#ifndef RELAY_HOSTS_H
#define RELAY_HOSTS_H

#include "conf/relay.h"
#include "dns/dns.h"

enum { HOSTS_MAX = 20, HOST_ADDRESSES_MAX = 40 }; /* of one destination, addresses in all */

struct relay_host {
	str name; /* as the MX record or the configuration has it, lower case; of an address alone: as net_address_host prints it */
	bool nameless; /* an address alone */
	uint16_t preference;
	bool looked_up;
	struct net_address *addresses; /* in the order in which they are to be tried */
	size_t n;
	bool secure;         /* these are validated (DNSSEC) */
	str canonical;       /* the name that has them */
	struct err_info why; /* n 0: what is wrong: code E_TEMP or E_PERM */
};
struct relay_hosts {
	struct relay_host *items; /* by preference */
	size_t n;
	bool secure;      /* that it is these was validated, or configured */
	size_t addresses; /* that were found so far */
};

struct hosts_question {
	const struct config *config;
	const struct resolver *resolver;
	const struct relay_way *way;
	struct arena *arena; /* for all that is found */
	/* net_source; NULL: IPv6 is used without a look at where it comes from */
	err (*source)(const struct net_address *to, struct net_address *out);
	bool (*is_local)(
		const struct net_address *a); /* net_is_local; NULL: what is ours is in the configuration alone */
};

/* E_PERM: there is nobody to send to, now and later: 5.1.10 (RFC 7505), 5.4.6 (we ourselves), 5.4.4, 5.1.2. E_TEMP: not known now: 4.4.3, 4.7.5. */
MUST_USE err hosts_find(const struct hosts_question *q, struct relay_hosts *out);
/* Looks up the addresses of host `i` and of those that are preferred as much. When this machine is among them, all of them and all behind them are cut off
 * (RFC 5321 5.1): `i` may be the end of the list then; E_PERM 5.4.6 when nobody is left in it. A host without addresses is no error, it says why. */
MUST_USE err hosts_look_up(const struct hosts_question *q, struct relay_hosts *hosts, size_t i);
/* The last one that was tried turned out to be this machine. */
err hosts_loop(str name);

#endif
