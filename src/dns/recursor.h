/* SPDX-License-Identifier: ISC */
/* recursor - asks the DNS (libunbound): from the root, or the resolvers that are configured; validates always (RFC 4035), and remembers. Opens no
 * file. All of it runs in coroutines of this loop.
 */
#ifndef DNS_RECURSOR_H
#define DNS_RECURSOR_H

#include "link/messages.h"
#include "rt/net.h"

struct recursor;

struct recursor_options {
	const struct net_address *resolvers; /* to be asked instead of the root and those below it; none: the root */
	size_t resolvers_n;
	str anchor; /* DS or DNSKEY records in zone-file form, of the root or of what is below; "": the root's that are built in */
};

/* E_SYNTAX: the anchor cannot be used. E_MEMORY. */
MUST_USE err recursor_new(const struct recursor_options *o, struct recursor **out);
/* Now, or with the last question that is in the air. NULL allowed. */
void recursor_free(struct recursor *r);

/* Parks. OK: there is an answer, which may be that there is none (rcode 0 or 3), or that it could not be had (any other rcode), or not be trusted
 * (security DNS_BOGUS, `why`). The same question asked twice at the same time goes out once. E_SYNTAX: no such name can be asked for, or what came is
 * malformed; E_TIMEOUT (451 4.4.3); E_CANCELLED; E_MEMORY. */
MUST_USE err recursor_ask(struct recursor *r, const struct resolve_request *q, struct resolve_reply *reply,
                          struct arena *a, nsec deadline);

#endif
