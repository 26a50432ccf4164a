/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
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
		cmocka_unit_test(test_the_name_is_in_the_certificate),
		cmocka_unit_test(test_bad_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
