/* SPDX-License-Identifier: ISC */
#include "rt/signature.h"

#include "base/buf.h"
#include "base/encode.h"
#include "base/test.h"
#include "rt/signature_key.h"

#define DIGEST STR("0123456789abcdef0123456789abcdef")

/* A key of our own, its public half, and a signature. */
static struct signature_public *make(bool ed25519, struct buf *signature)
{
	struct signature_key *private;
	struct signature_public *public;
	bool is_ed25519;
	BUF(pem, 8192);
	BUF(octets, 4096);

	assert_int_equal(signature_key_make(ed25519, &pem), OK);
	assert_int_equal(signature_key_read(buf_str(&pem), &private), OK);
	assert_int_equal(signature_key_public(buf_str(&pem), &is_ed25519, &octets), OK);
	assert_int_equal(is_ed25519, ed25519);
	assert_int_equal(signature_key_sign(private, DIGEST, signature), OK);
	assert_int_equal(signature_public_read(ed25519, buf_str(&octets), &public), OK);
	signature_key_free(private);
	return public;
}

static void verify(bool ed25519, unsigned bits)
{
	BUF(s, 1024);
	struct signature_public *k = make(ed25519, &s);

	assert_int_equal(signature_public_bits(k), bits);
	assert_true(signature_verify(k, DIGEST, buf_str(&s)));
	assert_true(signature_verify(k, DIGEST, buf_str(&s))); /* a key can be used more than once */
	assert_false(signature_verify(k, STR("0123456789abcdef0123456789abcdeF"), buf_str(&s)));
	assert_false(signature_verify(k, str_take(DIGEST, 31), buf_str(&s)));
	assert_false(signature_verify(k, DIGEST, str_take(buf_str(&s), s.n - 1)));
	assert_false(signature_verify(k, DIGEST, STR("")));
	s.p[3] ^= 1;
	assert_false(signature_verify(k, DIGEST, buf_str(&s)));
	signature_public_free(k);
}

static void test_rsa(void **state UNUSED)
{
	verify(false, 2048);
}

static void test_ed25519(void **state UNUSED)
{
	verify(true, 256);
}

/* SubjectPublicKeyInfo; the 22 octets of its head taken off, it is an RSAPublicKey. */
static const char published[] =
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/"
        "zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uB"
	"ItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

static void test_both_forms(void **state UNUSED)
{
	BUF(der, 1024);
	struct signature_public *k;

	assert_int_equal(base64_decode(&der, str_from(published)), OK);
	assert_int_equal(signature_public_read(false, buf_str(&der), &k), OK);
	assert_int_equal(signature_public_bits(k), 1024);
	signature_public_free(k);
	assert_int_equal(signature_public_read(false, str_drop(buf_str(&der), 22), &k), OK);
	assert_int_equal(signature_public_bits(k), 1024);
	signature_public_free(k);
}

static void test_malformed(void **state UNUSED)
{
	BUF(der, 1024);
	struct signature_public *k;

	assert_int_equal(base64_decode(&der, str_from(published)), OK);
	for (size_t n = 0; n < der.n; n++)
		assert_int_equal(signature_public_read(false, str_take(buf_str(&der), n), &k), E_SYNTAX);
	buf_putc(&der, 'x');
	assert_int_equal(signature_public_read(false, buf_str(&der), &k), E_SYNTAX);
	assert_int_equal(signature_public_read(true, buf_str(&der), &k), E_SYNTAX);
	assert_int_equal(signature_public_read(true, str_take(buf_str(&der), 31), &k), E_SYNTAX);
	assert_null(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(test_both_forms),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
