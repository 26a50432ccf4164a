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

enum {
	RSA_BITS = 2048,
	RSA_BITS_MIN = 1024,
	RSA_NUMBERS = 9, /* RFC 8017 A.1.2 */
	SIGNATURE_MAX = 1024,
	ED25519_SIZE = 32,
};

struct signature_key {
	EVP_PKEY *key;
	bool ed25519;
};

/* --- reading --- */

/* PKCS #8 in PEM that is not encrypted, as we write it. OpenSSL's decoders would find that out as well, but try all that there is: some milliseconds for each
 * key, and a server may have ten thousands. NULL: something else. The caller frees it. */
static PKCS8_PRIV_KEY_INFO *read_pkcs8(str pem, bool *ed25519, str *inner)
{
	BIO *bio = pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	PKCS8_PRIV_KEY_INFO *info =
		bio == NULL ? NULL : PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio, NULL, NULL, (void *)(uintptr_t) "");
	const ASN1_OBJECT *kind = NULL;
	const unsigned char *octets;
	int n = 0;

	BIO_free(bio);
	if (info != NULL && PKCS8_pkey_get0(&kind, &octets, &n, NULL, info) == 1 && n > 0) {
		*inner = str_make((const char *)octets, (size_t)n);
		*ed25519 = OBJ_obj2nid(kind) == NID_ED25519;
		if (*ed25519 || OBJ_obj2nid(kind) == NID_rsaEncryption)
			return info;
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	return NULL;
}

/* RFC 8410 7: an octet string within the octet string. */
static EVP_PKEY *read_ed25519(str inner)
{
	const unsigned char *p = (const unsigned char *)inner.p;
	ASN1_OCTET_STRING *s = d2i_ASN1_OCTET_STRING(NULL, &p, (long)inner.n);
	EVP_PKEY *key = s == NULL ? NULL
	                          : EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, ASN1_STRING_get0_data(s),
	                                                         (size_t)ASN1_STRING_length(s));

	if (s != NULL)
		OPENSSL_cleanse((void *)(uintptr_t)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
	ASN1_OCTET_STRING_free(s);
	return key;
}

static EVP_PKEY *read_ours(str pem)
{
	bool ed25519;
	str inner;
	PKCS8_PRIV_KEY_INFO *info = read_pkcs8(pem, &ed25519, &inner);
	const unsigned char *p = info == NULL ? NULL : (const unsigned char *)inner.p;
	EVP_PKEY *key = NULL;

	if (info != NULL)
		key = ed25519 ? read_ed25519(inner) : d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, (long)inner.n);
	PKCS8_PRIV_KEY_INFO_free(info);
	return key;
}

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
	EVP_PKEY *key = read_ours(pem);

	if (key == NULL)
		key = read_pem(pem);
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

/* RFC 8017 A.1.1: modulus and exponent, of `numbers`: RSAPrivateKey. */
static bool put_rsa_numbers(ASN1_SEQUENCE_ANY *numbers, struct buf *out)
{
	ASN1_SEQUENCE_ANY *public = sk_ASN1_TYPE_new_null();
	X509_PUBKEY *k = X509_PUBKEY_new();
	unsigned char *inner = NULL, *der = NULL;
	int n = -1;

	if (public != NULL && k != NULL && sk_ASN1_TYPE_push(public, sk_ASN1_TYPE_value(numbers, 1)) > 0 &&
	    sk_ASN1_TYPE_push(public, sk_ASN1_TYPE_value(numbers, 2)) > 0)
		n = i2d_ASN1_SEQUENCE_ANY(public, &inner);
	if (n > 0 && X509_PUBKEY_set0_param(k, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL, inner, n) == 1) {
		inner = NULL; /* k's now */
		n = i2d_X509_PUBKEY(k, &der);
	}
	if (n > 0 && der != NULL)
		buf_put(out, str_make((const char *)der, (size_t)n));
	n = der != NULL ? n : -1;
	OPENSSL_free(der);
	OPENSSL_free(inner);
	X509_PUBKEY_free(k);
	sk_ASN1_TYPE_free(public);
	return n > 0;
}

static bool is_number(const ASN1_TYPE *t, int octets_min)
{
	return t != NULL && t->type == V_ASN1_INTEGER && ASN1_STRING_length(t->value.integer) >= octets_min;
}

static void forget_numbers(ASN1_SEQUENCE_ANY *numbers)
{
	while (numbers != NULL && sk_ASN1_TYPE_num(numbers) > 0) {
		ASN1_TYPE *t = sk_ASN1_TYPE_pop(numbers);
		if (is_number(t, 1))
			OPENSSL_cleanse((void *)(uintptr_t)ASN1_STRING_get0_data(t->value.integer),
			                (size_t)ASN1_STRING_length(t->value.integer));
		ASN1_TYPE_free(t);
	}
	sk_ASN1_TYPE_free(numbers);
}

/* Nothing is computed, and no key is made of it. False: it is not RSA of ours; nothing was put. */
static bool put_rsa_quickly(str pem, struct buf *out)
{
	bool ed25519 = false, good = false;
	str inner = STR_NONE;
	PKCS8_PRIV_KEY_INFO *info = read_pkcs8(pem, &ed25519, &inner);
	const unsigned char *p = (const unsigned char *)inner.p;
	ASN1_SEQUENCE_ANY *numbers = info == NULL || ed25519 ? NULL : d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)inner.n);

	if (numbers != NULL && sk_ASN1_TYPE_num(numbers) == RSA_NUMBERS &&
	    is_number(sk_ASN1_TYPE_value(numbers, 1), RSA_BITS / 8) && is_number(sk_ASN1_TYPE_value(numbers, 2), 1))
		good = put_rsa_numbers(numbers, out);
	forget_numbers(numbers);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	return good;
}

err signature_key_public(str pem, bool *ed25519, struct buf *out)
{
	EVP_PKEY *key;

	*ed25519 = false;
	if (put_rsa_quickly(pem, out))
		return out->full ? err_note(E_LIMIT, "the public key is too large") : OK;
	err e = read_usable(pem, &key);

	if (e != OK)
		return e;
	*ed25519 = EVP_PKEY_is_a(key, "ED25519");
	bool good = *ed25519 ? put_ed25519(key, out) : put_rsa(key, out);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good && !out->full ? OK : err_note(E_LIMIT, "the public key is too large");
}
