/* SPDX-License-Identifier: ISC */
/* dns - typed answers to questions about names. The resolver is another process, which validates (DNSSEC, RFC 4035) and remembers; what it sends
 * is checked here once more: a record with malformed data is left out, never guessed at, and when none is left that is an error.
 *
 * Names are without the final dot, lower case, A-labels. Hosts have the characters of host names and are no addresses. Every function parks. Errors, the
 * same for all: E_NOT_FOUND: there is no such name or no record of this type (err_info: 5.1.2, secure denial or not is in `security`); E_TEMP: timeout,
 * SERVFAIL, the resolver is away (451 4.4.3); E_DENIED: bogus, the signatures do not fit (451 4.7.5 with the reason); E_SYNTAX: all record data is
 * malformed, or there are too many records (451 4.4.3).
 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include "link/link.h"
#include "rt/net.h"

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_TLSA = 52
};
enum { DNS_NAME_MAX = 253, DNS_RECORDS_MAX = 100 }; /* of one answer; more is E_SYNTAX */

/* Who is asked: the link to the resolver. Tests put in a function of their own. */
struct resolver {
	struct link *link;
	err (*ask)(void *ctx, const struct resolve_request *q, struct resolve_reply *r, struct arena *a,
	           nsec deadline); /* NULL: the link */
	void *ctx;
};

struct dns_answer {                 /* what every answer says */
	enum dns_security security; /* SECURE or INSECURE; also set with E_NOT_FOUND */
	uint32_t ttl;               /* seconds */
	str canonical;              /* the name that has the records */
};

struct dns_mx {
	uint16_t preference;
	str host; /* "" for "." (RFC 7505: takes no mail) */
};
/* By preference, equal ones in random order (RFC 5321 5.1). */
MUST_USE err dns_mx(const struct resolver *r, str name, struct arena *a, nsec deadline, struct dns_answer *answer,
                    struct dns_mx **out, size_t *n);
/* Addresses of one family: AF_INET or AF_INET6; port as given. */
MUST_USE err dns_addresses(const struct resolver *r, str name, int family, uint16_t port, struct arena *a,
                           nsec deadline, struct dns_answer *answer, struct net_address **out, size_t *n);
/* Each record's strings joined. */
MUST_USE err dns_txt(const struct resolver *r, str name, struct arena *a, nsec deadline, struct dns_answer *answer,
                     str **out, size_t *n);
struct dns_tlsa {
	uint8_t usage, selector, matching;
	str data;
};
MUST_USE err dns_tlsa(const struct resolver *r, str name, struct arena *a, nsec deadline, struct dns_answer *answer,
                      struct dns_tlsa **out, size_t *n);
struct dns_srv {
	uint16_t priority, weight, port;
	str host; /* "" for ".": decidedly not offered */
};
/* In the order in which they are to be tried (RFC 2782). */
MUST_USE err dns_srv(const struct resolver *r, str name, struct arena *a, nsec deadline, struct dns_answer *answer,
                     struct dns_srv **out, size_t *n);
MUST_USE err dns_ptr(const struct resolver *r, const struct net_address *address, struct arena *a, nsec deadline,
                     struct dns_answer *answer, str **out, size_t *n);

/* A name as it stands in record data (not compressed): appended to `out` in lower case, without the final dot; characters that a host name
 * does not have are an error. Sticky failure of the cursor. */
void dns_name(struct cursor *c, struct buf *out);

#endif
