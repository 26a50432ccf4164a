/* SPDX-License-Identifier: ISC */
#include "rt/crypto.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static const EVP_MD *algorithm(enum crypto_hash hash)
{
	return hash == CRYPTO_SHA1 ? EVP_sha1() : EVP_sha256();
}

static err failed(const char *what)
{
	return err_note(E_MEMORY, "%s could not be computed", what);
}

err crypto_hash(enum crypto_hash hash, str message, struct crypto_digest *out)
{
	unsigned n = 0;

	if (EVP_Digest(message.p, message.n, out->bytes, &n, algorithm(hash), NULL) != 1)
		return failed("a hash");
	out->n = n;
	return OK;
}

err crypto_hmac(enum crypto_hash hash, str key, str message, struct crypto_digest *out)
{
	unsigned n = 0;
	const unsigned char *bytes = (const unsigned char *)message.p;

	if (key.n > INT_MAX ||
	    HMAC(algorithm(hash), key.n == 0 ? "" : key.p, (int)key.n, bytes, message.n, out->bytes, &n) == NULL)
		return failed("HMAC");
	out->n = n;
	return OK;
}

err crypto_pbkdf2(enum crypto_hash hash, str password, str salt, uint32_t rounds, struct crypto_digest *out)
{
	int n = EVP_MD_get_size(algorithm(hash));

	if (password.n > INT_MAX || salt.n > INT_MAX || rounds == 0 || rounds > INT_MAX ||
	    PKCS5_PBKDF2_HMAC(password.n == 0 ? "" : password.p, (int)password.n, (const unsigned char *)salt.p,
	                      (int)salt.n, (int)rounds, algorithm(hash), n, out->bytes) != 1)
		return failed("PBKDF2");
	out->n = (size_t)n;
	return OK;
}

bool crypto_equal(str a, str b)
{
	volatile unsigned char differ = a.n != b.n;

	for (size_t i = 0; i < a.n && i < b.n; i++)
		differ = differ | (unsigned char)(a.p[i] ^ b.p[i]);
	return differ == 0;
}
