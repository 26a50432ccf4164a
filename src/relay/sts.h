/* SPDX-License-Identifier: ISC */
/* sts - the MTA-STS policy of a domain (RFC 8461): found by the DNS, fetched by HTTPS, kept by the store. */
#ifndef RELAY_STS_H
#define RELAY_STS_H

#include "base/map.h"
#include "mailauth/mta_sts.h"
#include "mailauth/tls_tally.h"
#include "rt/http.h"
#include "rt/rt.h"

struct relay;

struct sts_cache { /* domains whose policies are being fetched, or could not be */
	struct map domains;
};
void sts_cache_init(struct sts_cache *c);
void sts_cache_free(struct sts_cache *c);

/* OK: this policy holds now. E_NOT_FOUND: there is none. E_CANCELLED. Nothing else: whose policy cannot be had, and was not had before, has none (RFC 8461 3.3). */
MUST_USE err sts_find(struct relay *r, str domain, struct arena *a, struct mta_sts_policy *out);

/* Why the policy could not be fetched, and will not be again for some minutes (RFC 8460 4.3.2.2); NULL: nothing is wrong. Valid until the next wait. */
struct sts_trouble {
	enum tls_result result;
	struct err_info why;
};
const struct sts_trouble *sts_trouble(const struct relay *r, str domain);

#endif
