/* SPDX-License-Identifier: ISC */
#include "rt/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "rt/crypto.h"

enum { ED25519_SIZE = 32, ED25519_BITS = 256 };
enum { DER_BITS = 0x03, DER_INTEGER = 0x02, DER_SEQUENCE = 0x30 };

struct signature_public {
	bool ed25519;
	EVP_PKEY *key;
	EVP_PKEY_CTX *rsa; /* ready to verify */
};

void signature_public_free(struct signature_public *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_CTX_free(k->rsa);
	EVP_PKEY_free(k->key);
	free(k);
}

unsigned signature_public_bits(const struct signature_public *k)
{
	return k->ed25519 ? ED25519_BITS : (unsigned)EVP_PKEY_get_bits(k->key);
}

/* --- reading --- */

/* The content of an element; lengths of up to two octets, which are all that keys have. */
static str der_take(struct cursor *c, int tag)
{
	if (cursor_u8(c) != tag)
		cursor_fail(c);
	size_t n = cursor_u8(c);
	if (n == 0x81) {
		n = cursor_u8(c);
	} else if (n == 0x82) {
		n = (size_t)cursor_u8(c) << 8;
		n |= cursor_u8(c);
	} else if (n > 0x7f) {
		cursor_fail(c);
	}
	return cursor_bytes(c, n);
}

/* RFC 5280 4.1: the RSAPublicKey in a SubjectPublicKeyInfo; an RSAPublicKey is returned as it is. By hand, as OpenSSL 3.0 takes longer to find out what it has
 * been given than to verify a signature with it. */
static str rsa_public_key(str der)
{
	static const char rsa_encryption[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
	struct cursor whole = cursor_of(der), c = cursor_of(der_take(&whole, DER_SEQUENCE));

	if (whole.failed || !cursor_end(&whole))
		return STR_NONE;
	if (cursor_peek(&c) == DER_INTEGER)
		return der;
	str algorithm = der_take(&c, DER_SEQUENCE);
	struct cursor bits = cursor_of(der_take(&c, DER_BITS));
	if (c.failed || !cursor_end(&c) || cursor_u8(&bits) != 0 ||
	    !str_starts(algorithm, str_make(rsa_encryption, sizeof(rsa_encryption) - 1)))
		return STR_NONE;
	return cursor_rest(&bits);
}

static EVP_PKEY *read_rsa(str der)
{
	str inner = rsa_public_key(der);
	const unsigned char *at = (const unsigned char *)inner.p, *begin = at;
	EVP_PKEY *key = inner.n == 0 ? NULL : d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)inner.n);

	if (key == NULL || (size_t)(at - begin) == inner.n)
		return key;
	EVP_PKEY_free(key); /* there is something behind it */
	return NULL;
}

static EVP_PKEY *read_ed25519(str octets)
{
	const unsigned char *p = (const unsigned char *)octets.p;

	return octets.n == ED25519_SIZE ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p, octets.n) : NULL;
}

static bool prepare_rsa(struct signature_public *k)
{
	int bits = EVP_PKEY_get_bits(k->key);

	if (bits < SIGNATURE_RSA_BITS_MIN || bits > SIGNATURE_RSA_BITS_MAX)
		return false;
	k->rsa = EVP_PKEY_CTX_new(k->key, NULL);
	return k->rsa != NULL && EVP_PKEY_verify_init(k->rsa) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(k->rsa, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(k->rsa, EVP_sha256()) == 1;
}

err signature_public_read(bool ed25519, str octets, struct signature_public **out)
{
	struct signature_public *k = calloc(1, sizeof(*k));

	*out = NULL;
	if (k == NULL)
		return err_note(E_MEMORY, "no memory for a key");
	k->ed25519 = ed25519;
	k->key = ed25519 ? read_ed25519(octets) : read_rsa(octets);
	bool good = k->key != NULL && (ed25519 || prepare_rsa(k));
	ERR_clear_error();
	if (good)
		*out = k;
	else
		signature_public_free(k);
	return good ? OK : err_note(E_SYNTAX, "no public key of %s", ed25519 ? "Ed25519" : "RSA");
}

/* --- verifying --- */

static bool verify_ed25519(EVP_PKEY *key, str digest, str signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	            EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
	                             (const unsigned char *)digest.p, digest.n) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

static bool verify_rsa(EVP_PKEY_CTX *ctx, str digest, str signature)
{
	return EVP_PKEY_verify(ctx, (const unsigned char *)signature.p, signature.n, (const unsigned char *)digest.p,
	                       digest.n) == 1;
}

bool signature_verify(struct signature_public *k, str digest, str signature)
{
	if (digest.n != CRYPTO_SHA256_SIZE || signature.n == 0)
		return false;
	bool good = k->ed25519 ? verify_ed25519(k->key, digest, signature) : verify_rsa(k->rsa, digest, signature);
	ERR_clear_error();
	return good;
}
