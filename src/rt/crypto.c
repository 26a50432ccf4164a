/* SPDX-License-Identifier: ISC */
#include "rt/crypto.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

err crypto_hmac_sha256(str key, str message, unsigned char out[CRYPTO_SHA256_SIZE])
{
	unsigned n = 0;

	if (key.n > INT_MAX || HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)message.p, message.n, out, &n) == NULL)
		return err_note(E_MEMORY, "HMAC could not be computed");
	return OK;
}
