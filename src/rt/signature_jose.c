/* SPDX-License-Identifier: ISC */
#include "rt/signature_jose.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>

enum { ED25519_SIZE = 32, COORDINATE_MAX = 48, EXPONENT_MAX = 8, MODULUS_MAX = JOSE_RSA_BITS_MAX / 8 + 1 };
enum { DER_MAX = 2 * (COORDINATE_MAX + 3) + 3 };

struct jose_algorithm {
	str name;
	enum jose_kind kind;
	const char *digest; /* NULL: it is part of the algorithm */
	bool pss;
};
static const struct jose_algorithm algorithms[] = {
	{STR("RS256"), JOSE_RSA, "SHA256", false},  {STR("RS384"), JOSE_RSA, "SHA384", false},
	{STR("RS512"), JOSE_RSA, "SHA512", false},  {STR("PS256"), JOSE_RSA, "SHA256", true},
	{STR("PS384"), JOSE_RSA, "SHA384", true},   {STR("PS512"), JOSE_RSA, "SHA512", true},
	{STR("ES256"), JOSE_P256, "SHA256", false}, {STR("ES384"), JOSE_P384, "SHA384", false},
	{STR("EdDSA"), JOSE_ED25519, NULL, false},
};

struct jose_key {
	enum jose_kind kind;
	EVP_PKEY *key;
};

/* Names are compared with regard to case (RFC 7515 4.1.1). */
const struct jose_algorithm *jose_algorithm_find(str name)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (str_equal(name, algorithms[i].name))
			return &algorithms[i];
	return NULL;
}

enum jose_kind jose_algorithm_kind(const struct jose_algorithm *a)
{
	return a->kind;
}

enum jose_kind jose_key_kind(const struct jose_key *k)
{
	return k->kind;
}

void jose_key_free(struct jose_key *k)
{
	if (k != NULL)
		EVP_PKEY_free(k->key);
	free(k);
}

/* --- keys --- */

static const unsigned char *octets(str s)
{
	return (const unsigned char *)s.p;
}

static EVP_PKEY *from_data(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params != NULL && c != NULL && EVP_PKEY_fromdata_init(c) == 1)
		(void)EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	return key;
}

/* An exponent is small, or verifying takes as long as somebody else likes. */
static EVP_PKEY *read_rsa(str modulus, str exponent)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (modulus.n == 0 || modulus.n > MODULUS_MAX || exponent.n == 0 || exponent.n > EXPONENT_MAX) {
		OSSL_PARAM_BLD_free(build);
		return NULL;
	}
	BIGNUM *n = BN_bin2bn(octets(modulus), (int)modulus.n, NULL);
	BIGNUM *e = BN_bin2bn(octets(exponent), (int)exponent.n, NULL);
	if (build != NULL && n != NULL && e != NULL && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		key = from_data("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return key;
}

static size_t coordinate_size(enum jose_kind kind)
{
	return kind == JOSE_P256 ? 32 : COORDINATE_MAX;
}

/* RFC 7518 6.2.1.2: coordinates have their full length. OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *read_curve(enum jose_kind kind, str x, str y)
{
	unsigned char point[1 + 2 * COORDINATE_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	size_t size = coordinate_size(kind);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (build != NULL && x.n == size && y.n == size) {
		memcpy(&point[1], x.p, size);
		memcpy(&point[1 + size], y.p, size);
		if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
		                                    kind == JOSE_P256 ? "prime256v1" : "secp384r1", 0) == 1 &&
		    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size) == 1)
			key = from_data("EC", build);
	}
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *read_ed25519(str x)
{
	return x.n == ED25519_SIZE ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, octets(x), x.n) : NULL;
}

static EVP_PKEY *read_key(enum jose_kind kind, str first, str second)
{
	switch (kind) {
	case JOSE_RSA:
		return read_rsa(first, second);
	case JOSE_P256:
	case JOSE_P384:
		return read_curve(kind, first, second);
	case JOSE_ED25519:
		return read_ed25519(first);
	}
	return NULL;
}

static bool is_usable(enum jose_kind kind, const EVP_PKEY *key)
{
	int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);

	return key != NULL && (kind != JOSE_RSA || (bits >= JOSE_RSA_BITS_MIN && bits <= JOSE_RSA_BITS_MAX));
}

err jose_key_read(enum jose_kind kind, str first, str second, struct jose_key **out)
{
	struct jose_key *k = calloc(1, sizeof(*k));

	*out = NULL;
	if (k == NULL)
		return err_note(E_MEMORY, "no memory for a key");
	*k = (struct jose_key){kind, read_key(kind, first, second)};
	bool good = is_usable(kind, k->key);
	ERR_clear_error();
	if (good)
		*out = k;
	else
		jose_key_free(k);
	return good ? OK : err_note(E_SYNTAX, "no public key, or one that is too weak");
}

/* --- verifying --- */

/* RFC 7518 3.4: r and s, of the length of a coordinate each, one behind the other; OpenSSL wants them in DER. */
static size_t curve_signature(enum jose_kind kind, str raw, unsigned char der[static DER_MAX])
{
	int size = (int)coordinate_size(kind), n = 0;
	ECDSA_SIG *s = raw.n == 2 * (size_t)size ? ECDSA_SIG_new() : NULL;

	if (s == NULL)
		return 0;
	BIGNUM *r = BN_bin2bn(octets(raw), size, NULL), *v = BN_bin2bn(octets(str_drop(raw, (size_t)size)), size, NULL);
	if (r != NULL && v != NULL && ECDSA_SIG_set0(s, r, v) == 1) {
		n = i2d_ECDSA_SIG(s, &der);
	} else {
		BN_free(r);
		BN_free(v);
	}
	ECDSA_SIG_free(s);
	return n > 0 ? (size_t)n : 0;
}

/* RFC 7518 3.5: the salt is as long as the digest. */
static bool set_padding(EVP_PKEY_CTX *c, const struct jose_algorithm *a)
{
	if (a->kind != JOSE_RSA)
		return true;
	if (!a->pss)
		return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool verify(EVP_PKEY *key, const struct jose_algorithm *a, str message, str signature)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *of_key = NULL; /* the other's */
	bool good = c != NULL && EVP_DigestVerifyInit_ex(c, &of_key, a->digest, NULL, NULL, key, NULL) == 1 &&
	            set_padding(of_key, a) &&
	            EVP_DigestVerify(c, octets(signature), signature.n, octets(message), message.n) == 1;

	EVP_MD_CTX_free(c);
	return good;
}

bool jose_verify(const struct jose_key *k, const struct jose_algorithm *a, str message, str signature)
{
	unsigned char der[DER_MAX];
	bool curve = a->kind == JOSE_P256 || a->kind == JOSE_P384;

	if (k->kind != a->kind || signature.n == 0 || message.n == 0)
		return false;
	if (curve)
		signature = str_make((const char *)der, curve_signature(a->kind, signature, der));
	bool good = signature.n > 0 && verify(k->key, a, message, signature);
	ERR_clear_error();
	return good;
}
