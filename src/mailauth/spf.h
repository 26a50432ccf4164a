/* SPDX-License-Identifier: ISC */
/* spf - Sender Policy Framework (RFC 7208): may a client send for a domain? Pure but for questions to the DNS; parks. */
#ifndef MAILAUTH_SPF_H
#define MAILAUTH_SPF_H

#include "dns/dns.h"
#include "mailauth/result.h"

enum { SPF_LOOKUPS_MAX = 10, SPF_VOIDS_MAX = 2, SPF_NAMES_MAX = 10 }; /* RFC 7208 4.6.4 */

struct spf_query {
	const struct resolver *resolver;
	const struct net_address *client;
	str helo;     /* as given */
	str sender;   /* reverse-path; "" the null sender: then postmaster@helo (RFC 7208 2.4) */
	str receiver; /* our name, for %{r} */
	int64_t at;   /* microseconds since 1970, for %{t} */
	nsec deadline;
};
struct spf_result {
	enum auth_result result;
	bool helo;       /* the HELO identity was checked, the reverse-path is null */
	str domain;      /* that was checked, "" none */
	str mechanism;   /* that matched, as it stands in the record: "ip4:192.0.2.0/24", "-all"; "" none */
	str why;         /* a sentence: of errors and failures */
	str explanation; /* of exp=, of a fail; "" none. Others' words: one line, ASCII, at most 300 octets */
	unsigned lookups;
};
/* check_host() (RFC 7208 4). Faults of the DNS and of records are results. E_CANCELLED, E_MEMORY, E_LIMIT (the arena is full). Views live in `a`. */
MUST_USE err spf_check(const struct spf_query *q, struct arena *a, struct spf_result *out);

#endif
