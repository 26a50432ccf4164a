/* SPDX-License-Identifier: ISC */
/* cache - what the DNS has answered, remembered by this process: an answer that is there costs no call and does not park. Answers are kept as long as their ttl says,
 * an hour at most, denials five minutes at most; failures (SERVFAIL, bogus, no answer) are not kept. Its size is bounded, what was not used for the
 * longest time goes first. Equal questions that are in the air at once are asked once.
 */
#ifndef DNS_CACHE_H
#define DNS_CACHE_H

#include "dns/dns.h"

enum {
	DNS_CACHE_ANSWERS_MAX = 4096,
	DNS_CACHE_OCTETS_MAX = 4 << 20,  /* of all */
	DNS_CACHE_ANSWER_MAX = 64 << 10, /* octets of one; larger ones are not kept */
	DNS_CACHE_TTL_MAX = 3600,        /* seconds */
	DNS_CACHE_DENIAL_TTL_MAX = 300
};

struct dns_cache;
/* `behind`, who is asked, must live on. E_MEMORY. */
MUST_USE err dns_cache_new(const struct resolver *behind, struct dns_cache **out);
void dns_cache_free(struct dns_cache *c); /* nothing may be in the air */
/* To be asked in place of `behind`. A question that several ask fails for all alike, but for the time that each is willing to wait. The reply's ttl is what is left of it. */
struct resolver dns_cache_resolver(struct dns_cache *c);
void dns_cache_clear(struct dns_cache *c); /* other resolvers: forgets all */

struct dns_cache_counts {
	size_t answers, octets;           /* that are kept */
	uint64_t hits, joined, questions; /* answered from memory; by what somebody else had asked; asked */
};
struct dns_cache_counts dns_cache_counts(const struct dns_cache *c);

#endif
