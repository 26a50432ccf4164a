/* SPDX-License-Identifier: ISC */
/* wire - a DNS message (RFC 1035 4.1): what it answers to one question. */
#ifndef DNS_WIRE_H
#define DNS_WIRE_H

#include "link/messages.h"

/* Fills rcode, ttl, canonical and records of `out`, in `a`. Follows the chain of CNAMEs from `name` (without a dot at the end) in the order in which
 * the message has them. Names in record data are written out; names in text have what is no letter, digit, hyphen or low line as \DDD. `ttl`: the
 * least of what led to the answer; of a denial that of its SOA (RFC 2308 5), 0 without. E_SYNTAX: malformed; E_LIMIT: too large for `a`. */
MUST_USE err wire_answer(str message, str name, uint64_t type, struct resolve_reply *out, struct arena *a);

#endif
