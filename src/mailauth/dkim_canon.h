/* SPDX-License-Identifier: ISC */
/* dkim_canon - what of a message is hashed (RFC 6376 3.4), streamed into the hash without a copy. Lines may end with CRLF or LF, they are hashed with CRLF. Pure. */
#ifndef MAILAUTH_DKIM_CANON_H
#define MAILAUTH_DKIM_CANON_H

#include "mail/header.h"
#include "rt/digest.h"

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };

struct dkim_canon_out {
	struct digest digest;
	uint64_t limit; /* octets that are hashed, UINT64_MAX all: l= */
	uint64_t total; /* octets that came, those beyond the limit too */
	str run;        /* what was not yet given to the hash */
};
void dkim_canon_begin(struct dkim_canon_out *o, uint64_t limit); /* *o is all zero, or was used before */
void dkim_canon_body(struct dkim_canon_out *o, enum dkim_canon canon, str body);
void dkim_canon_field(struct dkim_canon_out *o, enum dkim_canon canon, const struct header_field *f); /* with CRLF */
/* The signature itself: without a line end, and without the value of b=, which is `b` (dkim_tag.whole), a view into the field. */
void dkim_canon_signature(struct dkim_canon_out *o, enum dkim_canon canon, const struct header_field *f, str b);
void dkim_canon_copy(struct dkim_canon_out *to,
                     struct dkim_canon_out *from); /* what came so far; `to` is all zero, or was used before */
MUST_USE err dkim_canon_end(struct dkim_canon_out *o, struct crypto_digest *out); /* E_MEMORY */
void dkim_canon_free(struct dkim_canon_out *o);

#endif
