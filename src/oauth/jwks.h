/* SPDX-License-Identifier: ISC */
/* jwks - a set of public keys (RFC 7517 5) by which tokens are verified. Pure. */
#ifndef OAUTH_JWKS_H
#define OAUTH_JWKS_H

#include "oauth/jwt.h"

enum { JWKS_OCTETS_MAX = 256 << 10, JWKS_KEYS_MAX = 100 };

struct jwks;

/* RFC 7517 5: keys of kinds that are not known, or not for signatures, are left out. E_SYNTAX: it is none, or no key is left; E_LIMIT, E_MEMORY. */
MUST_USE err jwks_read(str json, struct jwks **out);
void jwks_free(struct jwks *s); /* NULL allowed */
size_t jwks_count(const struct jwks *s);

/* OK: one of the keys signed it. E_NOT_FOUND: no key fits the token's algorithm and kid; E_DENIED: not signed by those that do. */
MUST_USE err jwks_verify(const struct jwks *s, const struct jwt *t);

#endif
