/* SPDX-License-Identifier: ISC */
#include "rt/signature_jose.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/test.h"

#define MESSAGE STR("header.payload")

enum { OCTETS_MAX = 1200 };

/* A pair made by OpenSSL: what a set of keys says of it, and what it signs. */
struct pair {
	EVP_PKEY *key;
	char first[OCTETS_MAX], second[OCTETS_MAX];
	str x, y;
};

static str number(EVP_PKEY *key, const char *name, char *to, size_t size)
{
	BIGNUM *n = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	if (size == 0)
		size = (size_t)BN_num_bytes(n);
	assert_int_equal(BN_bn2binpad(n, (unsigned char *)to, (int)size), size);
	BN_free(n);
	return str_make(to, size);
}

static void pair_rsa(struct pair *p, unsigned bits)
{
	p->key = EVP_RSA_gen(bits);
	assert_non_null(p->key);
	p->x = number(p->key, OSSL_PKEY_PARAM_RSA_N, p->first, 0);
	p->y = number(p->key, OSSL_PKEY_PARAM_RSA_E, p->second, 0);
}

static void pair_curve(struct pair *p, const char *curve, size_t size)
{
	p->key = EVP_EC_gen(curve);
	assert_non_null(p->key);
	p->x = number(p->key, OSSL_PKEY_PARAM_EC_PUB_X, p->first, size);
	p->y = number(p->key, OSSL_PKEY_PARAM_EC_PUB_Y, p->second, size);
}

static void pair_ed25519(struct pair *p)
{
	size_t n = sizeof(p->first);

	p->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_int_equal(EVP_PKEY_get_raw_public_key(p->key, (unsigned char *)p->first, &n), 1);
	p->x = str_make(p->first, n);
	p->y = STR("");
}

static str sign(EVP_PKEY *key, const char *digest, bool pss, char *to)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k = NULL;
	size_t n = OCTETS_MAX;

	assert_int_equal(EVP_DigestSignInit_ex(c, &k, digest, NULL, NULL, key, NULL), 1);
	if (pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(k, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_int_equal(EVP_DigestSign(c, (unsigned char *)to, &n, (const unsigned char *)MESSAGE.p, MESSAGE.n), 1);
	EVP_MD_CTX_free(c);
	return str_make(to, n);
}

/* From DER to what a token has. */
static str raw(str der, size_t size, char *to)
{
	const unsigned char *at = (const unsigned char *)der.p;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)der.n);

	assert_non_null(s);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(s), (unsigned char *)to, (int)size), size);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(s), (unsigned char *)&to[size], (int)size), size);
	ECDSA_SIG_free(s);
	return str_make(to, 2 * size);
}

static bool holds(const struct jose_key *k, const char *algorithm, str message, str signature)
{
	const struct jose_algorithm *a = jose_algorithm_find(str_from(algorithm));

	assert_non_null(a);
	return jose_verify(k, a, message, signature);
}

static void try(const struct jose_key *k, const char *algorithm, str signature)
{
	char changed[OCTETS_MAX];

	assert_true(holds(k, algorithm, MESSAGE, signature));
	assert_true(holds(k, algorithm, MESSAGE, signature)); /* a key can be used more than once */
	assert_false(holds(k, algorithm, STR("header.payloae"), signature));
	assert_false(holds(k, algorithm, STR(""), signature));
	assert_false(holds(k, algorithm, MESSAGE, STR("")));
	assert_false(holds(k, algorithm, MESSAGE, str_take(signature, signature.n - 1)));
	memcpy(changed, signature.p, signature.n);
	changed[signature.n / 2] ^= 1;
	assert_false(holds(k, algorithm, MESSAGE, str_make(changed, signature.n)));
}

static struct jose_key *read(enum jose_kind kind, const struct pair *p)
{
	struct jose_key *k;

	assert_int_equal(jose_key_read(kind, p->x, p->y, &k), OK);
	assert_int_equal(jose_key_kind(k), kind);
	return k;
}

static void test_rsa(void **state UNUSED)
{
	static const struct {
		const char *name, *digest;
		bool pss;
	} cases[] = {{"RS256", "SHA256", false}, {"RS384", "SHA384", false}, {"RS512", "SHA512", false},
	             {"PS256", "SHA256", true},  {"PS384", "SHA384", true},  {"PS512", "SHA512", true}};
	struct pair p;
	char signature[OCTETS_MAX];

	pair_rsa(&p, 2048);
	struct jose_key *k = read(JOSE_RSA, &p);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		str s = sign(p.key, cases[i].digest, cases[i].pss, signature);

		try(k, cases[i].name, s);
		for (size_t j = 0; j < ARRAY_LEN(cases); j++) /* a signature is one of its algorithm alone */
			assert_int_equal(holds(k, cases[j].name, MESSAGE, s), i == j);
		assert_false(holds(k, "ES256", MESSAGE, s));
		assert_false(holds(k, "EdDSA", MESSAGE, s));
	}
	jose_key_free(k);
	EVP_PKEY_free(p.key);
}

static void curve(enum jose_kind kind, const char *name, const char *algorithm, const char *digest, size_t size)
{
	struct pair p;
	struct jose_key *k, *none;
	char der[OCTETS_MAX], signature[OCTETS_MAX];

	pair_curve(&p, name, size);
	k = read(kind, &p);
	str s = sign(p.key, digest, false, der);
	try(k, algorithm, raw(s, size, signature));
	assert_false(holds(k, algorithm, MESSAGE, s)); /* DER is not what a token has */
	memset(signature, 0, sizeof(signature));
	assert_false(holds(k, algorithm, MESSAGE, str_make(signature, 2 * size)));
	assert_false(holds(k, "RS256", MESSAGE, str_make(signature, 2 * size)));
	assert_int_equal(jose_key_read(kind, p.x, str_take(p.y, size - 1), &none), E_SYNTAX);
	p.second[3] ^= 1;
	assert_int_equal(jose_key_read(kind, p.x, p.y, &none), E_SYNTAX); /* not on the curve */
	jose_key_free(k);
	EVP_PKEY_free(p.key);
}

static void test_curves(void **state UNUSED)
{
	curve(JOSE_P256, "P-256", "ES256", "SHA256", 32);
	curve(JOSE_P384, "P-384", "ES384", "SHA384", 48);
}

static void test_ed25519(void **state UNUSED)
{
	struct pair p;
	char signature[OCTETS_MAX];

	pair_ed25519(&p);
	struct jose_key *k = read(JOSE_ED25519, &p), *none;
	try(k, "EdDSA", sign(p.key, NULL, false, signature));
	assert_int_equal(jose_key_read(JOSE_ED25519, str_take(p.x, 31), STR(""), &none), E_SYNTAX);
	jose_key_free(k);
	EVP_PKEY_free(p.key);
}

static void test_no_keys(void **state UNUSED)
{
	static const char long_exponent[] = "\x01\x00\x00\x00\x00\x00\x00\x00\x01";
	struct pair p;
	struct jose_key *k;

	pair_rsa(&p, 1024);
	assert_int_equal(jose_key_read(JOSE_RSA, p.x, p.y, &k), E_SYNTAX);
	EVP_PKEY_free(p.key);
	pair_rsa(&p, 2048);
	assert_int_equal(jose_key_read(JOSE_RSA, p.x, STR(""), &k), E_SYNTAX);
	assert_int_equal(jose_key_read(JOSE_RSA, p.x, STR("\x01"), &k), E_SYNTAX);
	assert_int_equal(jose_key_read(JOSE_RSA, p.x, STR("\x04"), &k), E_SYNTAX);
	assert_int_equal(jose_key_read(JOSE_RSA, p.x, str_make(long_exponent, 9), &k), E_SYNTAX);
	assert_int_equal(jose_key_read(JOSE_RSA, STR(""), p.y, &k), E_SYNTAX);
	assert_int_equal(jose_key_read(JOSE_P256, p.x, p.y, &k), E_SYNTAX);
	assert_null(k);
	EVP_PKEY_free(p.key);
}

static void test_names(void **state UNUSED)
{
	static const char *const names[] = {"none", "None", "HS256", "HS512", "rs256", "ES256K", "RSA1_5", ""};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_null(jose_algorithm_find(str_from(names[i])));
	assert_int_equal(jose_algorithm_kind(jose_algorithm_find(STR("ES384"))), JOSE_P384);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rsa), cmocka_unit_test(test_curves),
	                                   cmocka_unit_test(test_ed25519), cmocka_unit_test(test_no_keys),
	                                   cmocka_unit_test(test_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
