/* SPDX-License-Identifier: ISC */
/* dkim_draft - fields with signatures of ours: DKIM-Signature, ARC-Message-Signature and ARC-Seal, while they are written. */
#ifndef MAILAUTH_DKIM_DRAFT_H
#define MAILAUTH_DKIM_DRAFT_H

#include "mailauth/dkim.h"
#include "mailauth/dkim_signature.h"

enum { DKIM_DRAFT_MAX = 32 << 10 }; /* octets of a field */

/* Appends what h= says: the fields that are there and are worth it, from a list of our own, and those that nobody may add once more than they are there. `forwarded`:
 * signatures that are there are covered, too (RFC 8617 4.1.2). E_LIMIT: more than DKIM_FIELDS_MAX. */
MUST_USE err dkim_draft_names(const struct dkim_header *h, bool forwarded, struct buf *out);

/* Appends "NAME: FIRST; a=...; " with domain, selector and time to an empty `field`. */
void dkim_draft_begin(struct buf *field, str name, str first, const struct dkim_key *key, int64_t now);
/* Appends c=, h=, bh=. */
void dkim_draft_message(struct buf *field, str names, str body_hash);
/* Appends "b=", without a value. The view of the field is valid until the next write. */
struct header_field dkim_draft_end(struct buf *field);
/* Has `digest` signed, appends the value and CRLF. Parks. What key->sign returns; E_LIMIT. */
MUST_USE err dkim_draft_sign(struct buf *field, const struct dkim_key *key, const struct crypto_digest *digest);

#endif
