/* SPDX-License-Identifier: ISC */
/* signature_key - private keys by which a domain signs its mail (RFC 6376, RFC 8463): RSA or Ed25519, in PEM (PKCS #8). The public half, which verifies, is in rt/signature.h. */
#ifndef RT_SIGNATURE_KEY_H
#define RT_SIGNATURE_KEY_H

#include "base/buf.h"
#include "base/err.h"

struct signature_key;

/* E_SYNTAX: no such key, or RSA of fewer than 1024 bits; E_MEMORY. */
MUST_USE err signature_key_read(str pem, struct signature_key **out);
void signature_key_free(struct signature_key *k); /* NULL allowed */
/* Appends the signature of a SHA-256 (32 octets): RSA PKCS #1 v1.5 of the digest, or Ed25519 of the digest as the message (RFC 8463 3). E_DENIED: not 32 octets. */
MUST_USE err signature_key_sign(const struct signature_key *k, str digest, struct buf *out);

/* A new one: Ed25519, or RSA of 2048 bits (some tenths of a second). */
MUST_USE err signature_key_make(bool ed25519, struct buf *pem);
/* What belongs into p= of the key record, not encoded: SubjectPublicKeyInfo of RSA, the 32 octets of Ed25519. */
MUST_USE err signature_key_public(str pem, bool *ed25519, struct buf *out);

#endif
