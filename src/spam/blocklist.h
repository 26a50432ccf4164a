/* SPDX-License-Identifier: ISC */
/* blocklist - lists of addresses and domains in the DNS (RFC 5782): how they are asked, and what their answers mean. */
#ifndef SPAM_BLOCKLIST_H
#define SPAM_BLOCKLIST_H

#include "dns/dns.h"

enum { BLOCKLIST_ZONES_MAX = 16 };

enum list_answer { LIST_UNKNOWN, LIST_ABSENT, LIST_LISTED };
struct list_question {
	const struct resolver *resolver;
	nsec deadline;
	struct arena *arena;
	str name; /* that is asked for: "1.2.0.192.zone.example" */
	/* the answer */
	enum list_answer answer;
	str text; /* LISTED: "127.0.0.2"; UNKNOWN: why */
};
/* Only answers in 127/8 are listings; 127.255.255.x and 127.0.0.1 say that the list does not want to answer. Faults of the DNS are an answer. E_CANCELLED, E_LIMIT. */
MUST_USE err blocklist_ask(struct list_question *q);

/* How an address or a domain is asked for; "" not possible. `address` is of IPv4 or IPv6. */
str blocklist_name_of_address(struct arena *a, const struct net_address *address, str zone);
str blocklist_name_of_host(struct arena *a, str host, bool is_address, str zone);

/* --- is the list in order? RFC 5782 5: what must be listed is, what must not is not. Remembered for a while, by this process. --- */

enum list_kind { LIST_OF_V4, LIST_OF_V6, LIST_OF_DOMAINS };
enum list_state { LIST_UNCHECKED, LIST_USABLE, LIST_UNUSABLE };
enum list_state blocklist_state(str zone, enum list_kind kind);
void blocklist_remember(str zone, enum list_kind kind, bool usable);
void blocklist_forget(void); /* for tests */
/* The two test points. */
str blocklist_test_name(struct arena *a, str zone, enum list_kind kind, bool listed);

#endif
