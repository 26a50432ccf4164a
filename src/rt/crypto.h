/* SPDX-License-Identifier: ISC */
/* crypto - what is needed of cryptography beside TLS; OpenSSL does it. */
#ifndef RT_CRYPTO_H
#define RT_CRYPTO_H

#include "base/err.h"
#include "base/str.h"

#define CRYPTO_SHA256_SIZE 32

/* HMAC-SHA-256 (RFC 2104). E_MEMORY: it could not be computed. */
MUST_USE err crypto_hmac_sha256(str key, str message, unsigned char out[CRYPTO_SHA256_SIZE]);

#endif
