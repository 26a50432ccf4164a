/* SPDX-License-Identifier: ISC */
/* digest - SHA-256 of what comes in pieces; OpenSSL does it. For what is at hand as a whole there is crypto_hash.
 *
 *	CLEANUP(digest_free) struct digest d = {0};
 *	digest_begin(&d);
 *	digest_add(&d, piece);
 *	err e = digest_end(&d, &out);
 */
#ifndef RT_DIGEST_H
#define RT_DIGEST_H

#include "rt/crypto.h"

struct evp_md_ctx_st;
struct digest { /* all zero: nothing begun */
	struct evp_md_ctx_st *ctx;
	bool failed; /* sticks, until digest_begin */
};
void digest_begin(struct digest *d); /* once more is allowed: what was added is forgotten */
void digest_add(struct digest *d, str octets);
void digest_copy(struct digest *to,
                 const struct digest *from); /* what came so far; `to` is all zero, or was used before */
MUST_USE err digest_end(struct digest *d, struct crypto_digest *out); /* E_MEMORY: it could not be computed */
void digest_free(struct digest *d);

#endif
