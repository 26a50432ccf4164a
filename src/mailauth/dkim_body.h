/* SPDX-License-Identifier: ISC */
/* dkim_body - hashes of one body: each canonicalization and length is computed once, however many signatures want it. Parks while a large one is hashed elsewhere
 * (rt_work). */
#ifndef MAILAUTH_DKIM_BODY_H
#define MAILAUTH_DKIM_BODY_H

#include "mailauth/dkim_canon.h"

enum {
	DKIM_BODY_HASHES = 4
}; /* of one message, whose body may be large; honest signatures seldom want more than two */

struct dkim_body_hash {
	enum dkim_canon canon;
	uint64_t length;
	uint64_t total; /* octets of the canonical body */
	struct crypto_digest digest;
};
struct dkim_body {
	str text;
	struct dkim_body_hash hashes[DKIM_BODY_HASHES];
	size_t n;
};
/* Of the first `length` octets of the canonical body. E_LIMIT: there are DKIM_BODY_HASHES others; E_MEMORY. */
MUST_USE err dkim_body_hash(struct dkim_body *b, enum dkim_canon canon, uint64_t length,
                            const struct dkim_body_hash **out);

struct dkim_signature;
struct dkim_result;
/* Does the body fit the signature? What is wrong is said in *r. *partial: l= leaves octets of it out. E_MEMORY. */
MUST_USE err dkim_body_check(struct dkim_body *b, const struct dkim_signature *s, struct arena *a,
                             struct dkim_result *r, bool *partial);

#endif
