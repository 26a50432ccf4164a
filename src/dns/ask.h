/* SPDX-License-Identifier: ISC */
/* ask - what the typed questions share. */
#ifndef DNS_ASK_H
#define DNS_ASK_H

#include "dns/dns.h"

/* What dns.h says of errors. OK: there is at least one record, and not too many. */
MUST_USE err dns_ask(const struct resolver *r, str name, enum dns_type type, struct arena *a, nsec deadline,
                     struct dns_answer *answer, struct resolve_reply *reply);

/* Reads one record's data; false: malformed, then it is left out. */
typedef bool dns_reader(str data, void *item, struct arena *a);
/* Asks, and reads each record to an item of `size` octets. E_SYNTAX when none can be used. */
MUST_USE err dns_ask_each(const struct resolver *r, str name, enum dns_type type, struct arena *a, nsec deadline,
                          struct dns_answer *answer, dns_reader *read, size_t size, void **items, size_t *n);

uint16_t dns_u16(struct cursor *c); /* big-endian */
/* The rest of `c` as the name of a host, "" for the root. False: it is none, or not all of it. */
bool dns_host(struct cursor *c, str *out, struct arena *a);

#endif
