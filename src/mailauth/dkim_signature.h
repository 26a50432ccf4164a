/* SPDX-License-Identifier: ISC */
/* dkim_signature - what a field with a signature says: DKIM-Signature (RFC 6376 3.5), ARC-Message-Signature and ARC-Seal (RFC 8617 4.1), whose grammar is the same. Pure. */
#ifndef MAILAUTH_DKIM_SIGNATURE_H
#define MAILAUTH_DKIM_SIGNATURE_H

#include "mailauth/dkim.h"
#include "mailauth/dkim_canon.h"
#include "mailauth/dkim_header.h"
#include "mailauth/dkim_tags.h"

enum dkim_field_kind { DKIM_FIELD, ARC_MESSAGE_FIELD, ARC_SEAL_FIELD };

struct dkim_signature {
	const struct header_field *field;
	struct dkim_tags tags;
	bool ed25519;                 /* else RSA */
	enum dkim_canon header, body; /* canonicalization */
	str domain, selector;         /* as they are asked for: lower case, A-labels */
	str identity_domain;          /* of DKIM_FIELD, folded */
	str names;                    /* h=, as it stands */
	str bh, b;                    /* decoded */
	uint64_t length;              /* l=, UINT64_MAX: there is none */
};
/* Reads it. What is wrong is said in r->result and r->why, otherwise the result is AUTH_NONE; what could be read of the rest of *r is there either way.
 * `field` has to stay. E_LIMIT: the arena is full. */
MUST_USE err dkim_signature_read(enum dkim_field_kind kind, const struct header_field *field, int64_t now,
                                 struct arena *a, struct dkim_signature *s, struct dkim_result *r);

/* The hash of the header (RFC 6376 3.7): afterwards the fields that it covers are those taken from `h`. E_MEMORY. */
MUST_USE err dkim_signature_hash(const struct dkim_signature *s, struct dkim_header *h, struct crypto_digest *out);

/* Sets result and why. */
void dkim_say(struct dkim_result *r, struct arena *a, enum auth_result result, const char *fmt, ...) PRINTF(4, 5);

#endif
