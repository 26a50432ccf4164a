/* SPDX-License-Identifier: ISC */
/* arc_chain - the fields of a chain by their instances (RFC 8617 4.2), and what a seal signs (5.1.1). Pure. */
#ifndef MAILAUTH_ARC_CHAIN_H
#define MAILAUTH_ARC_CHAIN_H

#include "mailauth/arc.h"
#include "mailauth/dkim_signature.h"

struct arc_fields {
	const struct header_field *results, *message, *seal;
};
struct arc_chain {
	struct arc_fields sets[ARC_SETS_MAX]; /* i=1 first */
	size_t n;                             /* the greatest instance that was found */
	bool any;                             /* there are fields of ARC */
	const char *broken;                   /* why it is no chain, NULL: each set is there, whole, and once */
};
void arc_chain_read(const struct dkim_header *h, struct arc_chain *out);

/* What the seals sign, set after set: begin with *o all zero. `digest` is of the set whose number of calls this is. E_MEMORY. */
MUST_USE err arc_seal_hash(struct dkim_canon_out *o, const struct arc_fields *set, str seal_b,
                           struct crypto_digest *digest);

/* The value of ARC-Authentication-Results: its instance, 0 when it is malformed, and in *rest what is behind it. */
unsigned arc_results_instance(str value, str *rest);

#endif
