/* SPDX-License-Identifier: ISC */
/* private_key - the other half of tls.h's signer: private keys in memory, and what is asked of them. */
#ifndef RT_PRIVATE_KEY_H
#define RT_PRIVATE_KEY_H

#include "rt/tls.h"

struct private_key;

/* An RSA or ECDSA key in PEM without a password. Kept where it is neither swapped nor dumped, as far as the system allows.
 * E_SYNTAX: not such a key, or not the one of the certificate at the beginning of `chain_pem`. */
MUST_USE err private_key_read(str key_pem, str chain_pem, struct private_key **out);
void private_key_free(struct private_key *k); /* NULL allowed */

/* Appends the signature. E_DENIED: this kind of key does not do that, or `input` is nothing a handshake would want signed. */
MUST_USE err private_key_sign(struct private_key *k, enum tls_sign kind, str input, struct buf *out);

/* What a certificate's key is called between processes: the same for the same certificate, always. E_MEMORY. */
MUST_USE err private_key_number(str chain_pem, uint64_t *number);

/* A new ECDSA key on P-256, and a certificate for `hostname` that it signed itself, good for ten years. E_IO: OpenSSL failed. */
MUST_USE err private_key_make(str hostname, struct buf *key_pem, struct buf *chain_pem);

#endif
