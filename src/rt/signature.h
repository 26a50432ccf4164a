/* SPDX-License-Identifier: ISC */
/* signature - public keys by which domains have their mail verified (RFC 6376 3.3, RFC 8463): RSA with PKCS #1 v1.5, and Ed25519, over a SHA-256. The private half is in
 * rt/signature_key.h. */
#ifndef RT_SIGNATURE_H
#define RT_SIGNATURE_H

#include "base/err.h"
#include "base/str.h"

enum { SIGNATURE_RSA_BITS_MIN = 512, SIGNATURE_RSA_BITS_MAX = 8192 }; /* others are no keys */

struct signature_public;

/* What is published, not encoded. RSA: SubjectPublicKeyInfo or RSAPublicKey in DER; Ed25519: its 32 octets. E_SYNTAX: no such key; E_MEMORY. */
MUST_USE err signature_public_read(bool ed25519, str octets, struct signature_public **out);
void signature_public_free(struct signature_public *k);           /* NULL allowed */
unsigned signature_public_bits(const struct signature_public *k); /* of RSA's modulus; 256 for Ed25519 */
MUST_USE bool signature_verify(struct signature_public *k, str digest, str signature);

#endif
