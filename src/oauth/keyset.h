/* SPDX-License-Identifier: ISC */
/* keyset - the keys that an issuer signs with, fetched now and then, and when a token names one that is not known: that not more often than a few
 * times at once and then once a minute, whatever tokens come. Keys that cannot be renewed are believed for a day.
 */
#ifndef OAUTH_KEYSET_H
#define OAUTH_KEYSET_H

#include "oauth/jwks.h"
#include "rt/rt.h"

struct keyset {
	struct jwks *jwks; /* NULL: none yet */
	nsec fetched, retry, allowance;
	uint64_t version; /* another one after each attempt to fetch */
	struct semaphore fetching;
};
/* Gets the set as it is now. */
struct keyset_source {
	void *ctx;
	err (*fetch)(void *ctx, struct jwks **out);
};
void keyset_init(struct keyset *k);
void keyset_free(struct keyset *k);
void keyset_forget(struct keyset *k); /* another issuer */

/* OK: the token is signed by one of the keys. E_DENIED: it is not. E_TEMP: there are no keys at present. E_CANCELLED. Parks. */
MUST_USE err keyset_verify(struct keyset *k, const struct jwt *t, const struct keyset_source *from);

#endif
