/* SPDX-License-Identifier: ISC */
#include "rt/signature_key.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "rt/crypto.h"

enum { RSA_BITS = 2048, RSA_BITS_MIN = 1024, SIGNATURE_MAX = 1024, ED25519_SIZE = 32 };

struct signature_key {
	EVP_PKEY *key;
	bool ed25519;
};

static EVP_PKEY *read_pem(str pem)
{
	BIO *bio = pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "");

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool is_usable(EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") || (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN);
}

static err read_usable(str pem, EVP_PKEY **out)
{
	EVP_PKEY *key = read_pem(pem);

	if (key != NULL && is_usable(key)) {
		*out = key;
		return OK;
	}
	EVP_PKEY_free(key);
	return err_note(E_SYNTAX, "no private key in PEM, RSA (1024 bits or more) or Ed25519");
}

err signature_key_read(str pem, struct signature_key **out)
{
	EVP_PKEY *key;
	err e = read_usable(pem, &key);

	if (e != OK)
		return e;
	struct signature_key *k = malloc(sizeof(*k));
	if (k == NULL) {
		EVP_PKEY_free(key);
		return err_note(E_MEMORY, "no memory for a private key");
	}
	*k = (struct signature_key){key, EVP_PKEY_is_a(key, "ED25519")};
	*out = k;
	return OK;
}

void signature_key_free(struct signature_key *k)
{
	if (k != NULL)
		EVP_PKEY_free(k->key);
	free(k);
}

/* --- signing --- */

static bool sign_ed25519(EVP_PKEY *key, str digest, unsigned char *to, size_t *n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c != NULL && EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
	            EVP_DigestSign(c, to, n, (const unsigned char *)digest.p, digest.n) == 1;

	EVP_MD_CTX_free(c);
	return good;
}

static bool sign_rsa(EVP_PKEY *key, str digest, unsigned char *to, size_t *n)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	bool good = c != NULL && EVP_PKEY_sign_init(c) == 1 &&
	            EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
	            EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 &&
	            EVP_PKEY_sign(c, to, n, (const unsigned char *)digest.p, digest.n) == 1;

	EVP_PKEY_CTX_free(c);
	return good;
}

err signature_key_sign(const struct signature_key *k, str digest, struct buf *out)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n = sizeof(signature);

	if (digest.n != CRYPTO_SHA256_SIZE)
		return err_note(E_DENIED, "a SHA-256 is signed and nothing else");
	bool good = k->ed25519 ? sign_ed25519(k->key, digest, signature, &n) : sign_rsa(k->key, digest, signature, &n);
	ERR_clear_error();
	if (!good)
		return err_note(E_MEMORY, "the signature could not be made");
	buf_put(out, str_make((const char *)signature, n));
	return out->full ? err_note(E_LIMIT, "no room for a signature") : OK;
}

/* --- keys --- */

static bool write_pem(EVP_PKEY *key, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p = NULL;
	long n = 0;

	if (bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
		n = BIO_get_mem_data(bio, &p);
	if (n > 0)
		buf_put(pem, str_make(p, (size_t)n));
	BIO_free(bio);
	return n > 0 && !pem->full;
}

err signature_key_make(bool ed25519, struct buf *pem)
{
	EVP_PKEY *key = ed25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_RSA_gen(RSA_BITS);
	bool good = key != NULL && write_pem(key, pem);

	EVP_PKEY_free(key);
	ERR_clear_error();
	return good ? OK : err_note(E_IO, "a key could not be made");
}

static bool put_ed25519(EVP_PKEY *key, struct buf *out)
{
	unsigned char raw[ED25519_SIZE];
	size_t n = sizeof(raw);

	if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1)
		return false;
	buf_put(out, str_make((const char *)raw, n));
	return true;
}

static bool put_rsa(EVP_PKEY *key, struct buf *out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n > 0)
		buf_put(out, str_make((const char *)der, (size_t)n));
	OPENSSL_free(der);
	return n > 0;
}

err signature_key_public(str pem, bool *ed25519, struct buf *out)
{
	EVP_PKEY *key;
	err e = read_usable(pem, &key);

	if (e != OK)
		return e;
	*ed25519 = EVP_PKEY_is_a(key, "ED25519");
	bool good = *ed25519 ? put_ed25519(key, out) : put_rsa(key, out);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good && !out->full ? OK : err_note(E_LIMIT, "the public key is too large");
}
