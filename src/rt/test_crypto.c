/* SPDX-License-Identifier: ISC */
#include "base/encode.h"
#include "base/test.h"
#include "rt/crypto.h"

static void check(const struct crypto_digest *d, const char *hex)
{
	BUF(text, 100);

	hex_encode(&text, crypto_digest_str(d));
	assert_str(buf_str(&text), hex);
}

/* FIPS 180-4, "abc" */
static void hashes(void **state)
{
	struct crypto_digest d;
	(void)state;

	assert_int_equal(crypto_hash(CRYPTO_SHA1, STR("abc"), &d), OK);
	check(&d, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(crypto_hash(CRYPTO_SHA256, STR("abc"), &d), OK);
	check(&d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(crypto_hash(CRYPTO_SHA256, STR_NONE, &d), OK);
	check(&d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 4.2 and 4.3, RFC 2202 3 */
static void hmac_of_the_rfc(void **state)
{
	static const struct {
		enum crypto_hash hash;
		str key, message;
		const char *hex;
	} known[] = {
		{CRYPTO_SHA256, STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
	         STR("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{CRYPTO_SHA256, STR("Jefe"), STR("what do ya want for nothing?"),
	         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{CRYPTO_SHA1, STR("Jefe"), STR("what do ya want for nothing?"),
	         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct crypto_digest d;

		assert_int_equal(crypto_hmac(known[i].hash, known[i].key, known[i].message, &d), OK);
		check(&d, known[i].hex);
	}
}

/* RFC 6070 2 */
static void pbkdf2_of_the_rfc(void **state)
{
	struct crypto_digest d;
	(void)state;

	assert_int_equal(crypto_pbkdf2(CRYPTO_SHA1, STR("password"), STR("salt"), 1, &d), OK);
	check(&d, "0c60c80f961f0e71f3a9b524af6012062fe037a6");
	assert_int_equal(crypto_pbkdf2(CRYPTO_SHA1, STR("password"), STR("salt"), 4096, &d), OK);
	check(&d, "4b007901b765489abead49d926f721d065a429c1");
	assert_int_equal(crypto_pbkdf2(CRYPTO_SHA1, STR("password"), STR("salt"), 0, &d), E_MEMORY);
}

static void equality(void **state)
{
	(void)state;
	assert_true(crypto_equal(STR("abc"), STR("abc")));
	assert_false(crypto_equal(STR("abc"), STR("abd")));
	assert_false(crypto_equal(STR("abc"), STR("abcd")));
	assert_false(crypto_equal(STR("abc"), STR_NONE));
	assert_true(crypto_equal(STR_NONE, STR_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(hmac_of_the_rfc),
		cmocka_unit_test(pbkdf2_of_the_rfc),
		cmocka_unit_test(equality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
