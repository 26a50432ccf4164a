/* SPDX-License-Identifier: ISC */
/* dkim_key_cache - key records that were read, and their keys made ready to verify with, which takes longer than a signature of RSA: by what the record says, so that what the
 * DNS says now is what counts. Bounded, what was not used for the longest time goes first. For one thread. Parks nowhere. */
#ifndef MAILAUTH_DKIM_KEY_CACHE_H
#define MAILAUTH_DKIM_KEY_CACHE_H

#include "mailauth/dkim_record.h"
#include "rt/signature.h"

enum { DKIM_KEY_CACHE_MAX = 512 }; /* keys, of some KiB each */

struct dkim_public {
	struct dkim_record record;    /* but for its octets */
	struct signature_public *key; /* NULL: `why` */
	str why;
};

struct dkim_key_cache;
MUST_USE err dkim_key_cache_new(struct dkim_key_cache **out); /* E_MEMORY */
void dkim_key_cache_free(struct dkim_key_cache *c);           /* NULL allowed. No key of it may be held */

/* The key of a record; one that is none is remembered too. `c` NULL: it is read anew. To be released. E_MEMORY. */
MUST_USE err dkim_public_take(struct dkim_key_cache *c, str text, const struct dkim_public **out);
void dkim_public_release(const struct dkim_public *k);

struct dkim_key_cache_counts {
	size_t kept;
	uint64_t hits, reads;
};
struct dkim_key_cache_counts dkim_key_cache_counts(const struct dkim_key_cache *c);

#endif
