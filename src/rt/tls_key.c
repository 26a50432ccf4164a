/* SPDX-License-Identifier: ISC */
/* Keys that sign elsewhere: a signature is a question to the context's signer, which may park the coroutine. */
#define OPENSSL_SUPPRESS_DEPRECATED /* EC_KEY_METHOD and RSA_METHOD, or a provider of our own */
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "rt/tls_context.h"

#define SIGNATURE_MAX 1024 /* octets: RSA of 8192 bits */

static int ec_slot, rsa_slot; /* where a key remembers its struct tls_identity */
static EC_KEY_METHOD *ec_method;
static RSA_METHOD *rsa_method;

/* Length of the signature, 0: none. Parks; others use OpenSSL meanwhile. */
static size_t sign(const struct tls_identity *id, enum tls_sign kind, str input, unsigned char *out, size_t room)
{
	BUF(signature, SIGNATURE_MAX);
	err e = id->context->signer(id->context->signer_ctx, id->number, kind, input, &signature);

	ERR_clear_error();
	if (e == OK && signature.n > 0 && signature.n <= room) {
		memcpy(out, signature.p, signature.n);
		return signature.n;
	}
	ERR_raise(ERR_LIB_USER, TLS_REASON_NO_SIGN);
	return 0;
}

static int ec_sign(int type, const unsigned char *digest, int n, unsigned char *out, unsigned int *out_n,
                   const BIGNUM *k, const BIGNUM *r, EC_KEY *key)
{
	const struct tls_identity *id = EC_KEY_get_ex_data(key, ec_slot);

	(void)type, (void)k, (void)r;
	if (id == NULL || n <= 0)
		return 0;
	*out_n = (unsigned)sign(id, TLS_SIGN_ECDSA, str_make((const char *)digest, (size_t)n), out,
	                        (size_t)ECDSA_size(key));
	return *out_n > 0;
}

/* The block is padded here; what is asked for is the bare operation. */
static int rsa_sign(int n, const unsigned char *from, unsigned char *to, RSA *key, int padding)
{
	const struct tls_identity *id = RSA_get_ex_data(key, rsa_slot);
	unsigned char block[SIGNATURE_MAX];
	int size = RSA_size(key);
	bool padded = padding == RSA_NO_PADDING && n == size;

	if (id == NULL || n <= 0 || size > SIGNATURE_MAX)
		return -1;
	if (padded)
		memcpy(block, from, (size_t)n);
	else if (padding != RSA_PKCS1_PADDING || RSA_padding_add_PKCS1_type_1(block, size, from, n) != 1)
		return -1;
	size_t got = sign(id, TLS_SIGN_RSA_RAW, str_make((const char *)block, (size_t)size), to, (size_t)size);
	return got == (size_t)size ? size : -1;
}

/* RFC 7457 2.3, 2.4: no key is ever used to decrypt. */
static int rsa_decrypt(int n, const unsigned char *from, unsigned char *to, RSA *key, int padding)
{
	(void)n, (void)from, (void)to, (void)key, (void)padding;
	return -1;
}

static bool make_methods(void)
{
	if (ec_method != NULL)
		return true;
	EC_KEY_METHOD *ec = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	RSA_METHOD *rsa = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	ec_slot = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	rsa_slot = RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (ec == NULL || rsa == NULL || ec_slot < 0 || rsa_slot < 0) {
		EC_KEY_METHOD_free(ec);
		RSA_meth_free(rsa);
		return false;
	}
	EC_KEY_METHOD_set_sign(ec, ec_sign, NULL, NULL);
	RSA_meth_set_priv_enc(rsa, rsa_sign);
	RSA_meth_set_priv_dec(rsa, rsa_decrypt);
	ec_method = ec;
	rsa_method = rsa;
	return true;
}

static EVP_PKEY *ec_key(struct tls_identity *id, const EC_KEY *public)
{
	EC_KEY *key = public == NULL ? NULL : EC_KEY_dup(public);
	EVP_PKEY *out = EVP_PKEY_new();

	if (key != NULL && out != NULL && EC_KEY_set_method(key, ec_method) == 1 &&
	    EC_KEY_set_ex_data(key, ec_slot, id) == 1 && EVP_PKEY_assign_EC_KEY(out, key) == 1)
		return out;
	EC_KEY_free(key);
	EVP_PKEY_free(out);
	return NULL;
}

static EVP_PKEY *rsa_key(struct tls_identity *id, const RSA *public)
{
	RSA *key = public == NULL ? NULL : RSAPublicKey_dup(public);
	EVP_PKEY *out = EVP_PKEY_new();

	if (key != NULL && out != NULL && RSA_set_method(key, rsa_method) == 1 &&
	    RSA_set_ex_data(key, rsa_slot, id) == 1 && EVP_PKEY_assign_RSA(out, key) == 1)
		return out;
	RSA_free(key);
	EVP_PKEY_free(out);
	return NULL;
}

err tls_key_make(struct tls_identity *id)
{
	EVP_PKEY *public = X509_get0_pubkey(id->leaf);
	int kind = public == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(public);

	if (!make_methods())
		return tls_failed(E_MEMORY, "keys that sign elsewhere");
	if (kind == EVP_PKEY_EC)
		id->key = ec_key(id, EVP_PKEY_get0_EC_KEY(public));
	else if (kind == EVP_PKEY_RSA)
		id->key = rsa_key(id, EVP_PKEY_get0_RSA(public));
	else
		return err_note(E_SYNTAX, "the certificate's key is neither RSA nor ECDSA");
	return id->key == NULL ? tls_failed(E_MEMORY, "the certificate's key cannot be used") : OK;
}
