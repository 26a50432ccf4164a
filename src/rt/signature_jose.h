/* SPDX-License-Identifier: ISC */
/* signature_jose - public keys and signatures of JSON Web Algorithms (RFC 7518 3, RFC 8037), as tokens are signed with. Only asymmetric ones: an algorithm
 * that is not here, such as none or HS256, has no name here either. A key fits algorithms of its own kind and, of elliptic curves, one alone. */
#ifndef RT_SIGNATURE_JOSE_H
#define RT_SIGNATURE_JOSE_H

#include "base/err.h"
#include "base/str.h"

enum { JOSE_RSA_BITS_MIN = 2048, JOSE_RSA_BITS_MAX = 8192 }; /* RFC 7518 3.3: 2048 at least */
enum jose_kind { JOSE_RSA, JOSE_P256, JOSE_P384, JOSE_ED25519 };

struct jose_algorithm; /* "RS256" "RS384" "RS512" "PS256" "PS384" "PS512" "ES256" "ES384" "EdDSA" */
const struct jose_algorithm *jose_algorithm_find(str name); /* NULL: none of these */
enum jose_kind jose_algorithm_kind(const struct jose_algorithm *a);

struct jose_key;
/* Numbers and coordinates, not encoded: modulus and exponent; x and y; x and "". E_SYNTAX: no key, or one that is too weak or too large; E_MEMORY. */
MUST_USE err jose_key_read(enum jose_kind kind, str first, str second, struct jose_key **out);
void jose_key_free(struct jose_key *k); /* NULL allowed */
enum jose_kind jose_key_kind(const struct jose_key *k);
/* False also when the key is of another kind than the algorithm's. */
MUST_USE bool jose_verify(const struct jose_key *k, const struct jose_algorithm *a, str message, str signature);

#endif
