/* SPDX-License-Identifier: ISC */
/* iprev - has the client's address a name that has this address (RFC 8601 3)? Parks. */
#ifndef MAILAUTH_IPREV_H
#define MAILAUTH_IPREV_H

#include "dns/dns.h"
#include "mailauth/result.h"

struct iprev_result {
	enum auth_result result; /* PASS FAIL TEMPERROR PERMERROR (there is no PTR) */
	str name;                /* PASS: that one; FAIL: the first that PTR says; "" none */
};
MUST_USE err iprev_check(const struct resolver *r, const struct net_address *client, nsec deadline, struct arena *a,
                         struct iprev_result *out);

#endif
