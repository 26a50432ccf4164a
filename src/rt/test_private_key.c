/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "rt/private_key.h"

struct made {
	struct buf key, chain;
	struct private_key *private;
};

static void make(struct made *m, const char *hostname)
{
	*m = (struct made){.key = BUF_INIT(1 << 16), .chain = BUF_INIT(1 << 16)};
	assert_int_equal(private_key_make(str_from(hostname), &m->key, &m->chain), OK);
	assert_int_equal(private_key_read(buf_str(&m->key), buf_str(&m->chain), &m->private), OK);
}

static void unmake(struct made *m)
{
	private_key_free(m->private);
	buf_free(&m->key);
	buf_free(&m->chain);
}

static X509 *certificate(const struct made *m)
{
	BIO *bio = BIO_new_mem_buf(m->chain.p, (int)m->chain.n);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(cert);
	return cert;
}

static void test_signatures_are_good(void **state)
{
	static const char digest[32] = "thirty-two octets of a digest...";
	BUF(signature, 1024);
	struct made m;

	(void)state;
	make(&m, "mail.example.org");
	assert_int_equal(private_key_sign(m.private, TLS_SIGN_ECDSA, str_make(digest, sizeof(digest)), &signature), OK);
	X509 *cert = certificate(&m);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(X509_get0_pubkey(cert), NULL);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_verify(ctx, (const unsigned char *)signature.p, signature.n,
	                                 (const unsigned char *)digest, sizeof(digest)),
	                 1);
	EVP_PKEY_CTX_free(ctx);
	X509_free(cert);
	unmake(&m);
}

static void test_only_what_a_handshake_signs(void **state)
{
	static const char digest[64] = {0};
	BUF(signature, 1024);
	struct made m;

	(void)state;
	make(&m, "mail.example.org");
	assert_int_equal(private_key_sign(m.private, TLS_SIGN_RSA_RAW, str_make(digest, 64), &signature), E_DENIED);
	assert_int_equal(private_key_sign(m.private, TLS_SIGN_ECDSA, str_make(digest, 20), &signature), E_DENIED);
	assert_int_equal(private_key_sign(m.private, TLS_SIGN_ECDSA, STR_NONE, &signature), E_DENIED);
	assert_int_equal(private_key_sign(m.private, (enum tls_sign)7, str_make(digest, 32), &signature), E_DENIED);
	assert_int_equal(signature.n, 0);
	unmake(&m);
}

/* --- RSA --- */

static void put_pem(BIO *bio, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	buf_put(out, str_make(p, (size_t)n));
	BIO_free(bio);
}

static EVP_PKEY *make_rsa(struct made *m, unsigned bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	X509 *cert = X509_new();
	BIO *key_pem = BIO_new(BIO_s_mem()), *chain_pem = BIO_new(BIO_s_mem());

	*m = (struct made){.key = BUF_INIT(1 << 16), .chain = BUF_INIT(1 << 16)};
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 60));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(PEM_write_bio_X509(chain_pem, cert), 1);
	put_pem(key_pem, &m->key);
	put_pem(chain_pem, &m->chain);
	X509_free(cert);
	assert_int_equal(private_key_read(buf_str(&m->key), buf_str(&m->chain), &m->private), OK);
	return key;
}

/* The padded block of a signature by OpenSSL. */
static str padded(EVP_PKEY *key, const EVP_MD *md, int padding, int salt, unsigned char out[512])
{
	static const unsigned char digest[64] = "a digest";
	unsigned char signature[512];
	size_t n = sizeof(signature), out_n = 512;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, md), 1);
	if (padding == RSA_PKCS1_PSS_PADDING)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, signature, &n, digest, (size_t)EVP_MD_get_size(md)), 1);
	assert_int_equal(EVP_PKEY_verify_recover_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_verify_recover(ctx, out, &out_n, signature, n), 1);
	EVP_PKEY_CTX_free(ctx);
	return str_make((const char *)out, out_n);
}

static void assert_raw(const struct made *m, str block, err expected)
{
	BUF(signature, 1024);

	assert_int_equal(private_key_sign(m->private, TLS_SIGN_RSA_RAW, block, &signature), expected);
	assert_int_equal(signature.n, expected == OK ? block.n : 0);
}

/* 2041: the encoding is an octet shorter than the key. 2047: two bits of the first octet are not in use. */
static void test_padded_blocks_are_signed(void **state)
{
	static const unsigned bits[] = {2048, 2041, 2047};
	unsigned char block[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		struct made m;
		EVP_PKEY *key = make_rsa(&m, bits[i]);
		const EVP_MD *const mds[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};

		for (size_t j = 0; j < ARRAY_LEN(mds); j++) {
			assert_raw(&m, padded(key, mds[j], RSA_PKCS1_PADDING, 0, block), OK);
			assert_raw(&m, padded(key, mds[j], RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST, block), OK);
		}
		EVP_PKEY_free(key);
		unmake(&m);
	}
}

/* Whoever may choose a block freely decrypts with it: he multiplies by something until the block looks as it should. */
static void test_other_blocks_are_refused(void **state)
{
	unsigned char block[512];
	struct made m;
	EVP_PKEY *key = make_rsa(&m, 2048);

	(void)state;
	memset(block, 0x17, sizeof(block));
	assert_raw(&m, str_make((const char *)block, 256), E_DENIED);
	block[255] = 0xbc;
	assert_raw(&m, str_make((const char *)block, 256), E_DENIED);
	str good = padded(key, EVP_sha256(), RSA_PKCS1_PSS_PADDING, 20, block);
	assert_raw(&m, good, E_DENIED); /* no handshake has a salt of that length */
	good = padded(key, EVP_sha256(), RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST, block);
	block[100] ^= 1;
	assert_raw(&m, good, E_DENIED);
	block[100] ^= 1;
	assert_raw(&m, good, OK);
	assert_raw(&m, str_take(good, 255), E_DENIED);
	EVP_PKEY_free(key);
	unmake(&m);
}

static void test_the_name_is_in_the_certificate(void **state)
{
	struct made m;

	(void)state;
	make(&m, "mail.example.org");
	X509 *cert = certificate(&m);
	assert_int_equal(X509_check_host(cert, "mail.example.org", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(cert, "other.example.org", 0, 0, NULL), 0);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
	X509_free(cert);
	unmake(&m);
}

static void test_bad_keys_are_refused(void **state)
{
	struct made a, b;
	struct private_key *k;

	(void)state;
	make(&a, "a.example.org");
	make(&b, "b.example.org");
	assert_int_equal(private_key_read(buf_str(&a.key), buf_str(&b.chain), &k), E_SYNTAX);
	assert_null(k);
	assert_int_equal(private_key_read(buf_str(&a.chain), buf_str(&a.chain), &k), E_SYNTAX);
	assert_int_equal(private_key_read(buf_str(&a.key), STR("nonsense"), &k), E_SYNTAX);
	assert_int_equal(private_key_read(STR_NONE, buf_str(&a.chain), &k), E_SYNTAX);
	unmake(&a);
	unmake(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_are_good),
		cmocka_unit_test(test_only_what_a_handshake_signs),
		cmocka_unit_test(test_padded_blocks_are_signed),
		cmocka_unit_test(test_other_blocks_are_refused),
		cmocka_unit_test(test_the_name_is_in_the_certificate),
		cmocka_unit_test(test_bad_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
