/* SPDX-License-Identifier: ISC */
/* dmarc_walk - up the tree of the DNS for records of DMARC, and the organizational domain that they show (RFC 9989 4.10). Parks. */
#ifndef MAILAUTH_DMARC_WALK_H
#define MAILAUTH_DMARC_WALK_H

#include "mailauth/dmarc.h"

enum { DMARC_QUERIES_MAX = 8 };

struct dmarc_walk {
	struct dmarc_record *records; /* that were found, the longest domain first; those that nobody can go by too */
	str *faults;                  /* of each: why nobody can go by it, "" none */
	size_t n;
	str organization; /* "": not known, as `broken` */
	bool broken;      /* the DNS did not answer all */
	str why;          /* it is broken */
};
/* E_CANCELLED, E_MEMORY, E_LIMIT. */
MUST_USE err dmarc_walk(const struct resolver *r, str domain, bool suffix_list, nsec deadline, struct arena *a,
                        struct dmarc_walk *out);
/* Is `name` this domain, or below it? */
bool dmarc_is_below(str name, str domain);

#endif
