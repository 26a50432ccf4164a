/* SPDX-License-Identifier: ISC */
/* crypto - what is needed of cryptography beside TLS; OpenSSL does it. Thread-safe. Errors: E_MEMORY, it could not be computed. */
#ifndef RT_CRYPTO_H
#define RT_CRYPTO_H

#include "base/err.h"
#include "base/str.h"

enum crypto_hash { CRYPTO_SHA1, CRYPTO_SHA256 };
#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_HASH_MAX    32 /* octets of the longest */

/* What a hash makes, `n` octets of it. */
struct crypto_digest {
	unsigned char bytes[CRYPTO_HASH_MAX];
	size_t n;
};
/* The view is into *d. */
static inline str crypto_digest_str(const struct crypto_digest *d)
{
	return str_make((const char *)d->bytes, d->n);
}

MUST_USE err crypto_hash(enum crypto_hash hash, str message, struct crypto_digest *out);
MUST_USE err crypto_hmac(enum crypto_hash hash, str key, str message, struct crypto_digest *out); /* RFC 2104 */
/* PBKDF2 with HMAC (RFC 8018 5.2), as many octets as the hash has: a few milliseconds for 10,000 rounds. */
MUST_USE err crypto_pbkdf2(enum crypto_hash hash, str password, str salt, uint32_t rounds, struct crypto_digest *out);
/* In time that depends on the lengths alone. */
MUST_USE bool crypto_equal(str a, str b);

#endif
