/* SPDX-License-Identifier: ISC */
/* claims - whether what a token says of itself lets its holder in here (RFC 7519 4.1; the same names in an introspection's answer, RFC 7662 2.2). Pure. */
#ifndef OAUTH_CLAIMS_H
#define OAUTH_CLAIMS_H

#include "rt/json.h"

enum { CLAIMS_LEEWAY = 60 }; /* seconds that clocks may differ */

struct claims_rules {
	str issuer, audience; /* "" any */
	str user;             /* the claim that is the account's address; "email" must not be said to be unverified */
	bool ends;            /* it has to say when it expires */
	int64_t now;          /* seconds since 1970 */
};
struct claims {
	str user;
	int64_t expires; /* seconds since 1970; INT64_MAX: it does not say */
};
/* E_DENIED: err_info says why not. `out` in `a`; E_LIMIT. */
MUST_USE err claims_check(const json_t *claims, const struct claims_rules *rules, struct arena *a, struct claims *out);

#endif
