/* SPDX-License-Identifier: ISC */
#include "rt/digest.h"

#include "base/encode.h"
#include "base/test.h"

static void test_pieces(void **state UNUSED)
{
	CLEANUP(digest_free) struct digest d = {0};
	struct crypto_digest got, want;
	BUF(hex, 100);

	digest_begin(&d);
	digest_add(&d, STR("lost"));
	digest_begin(&d);
	digest_add(&d, STR("a"));
	digest_add(&d, STR(""));
	digest_add(&d, STR("bc"));
	assert_int_equal(digest_end(&d, &got), OK);
	hex_encode(&hex, crypto_digest_str(&got));
	assert_str(buf_str(&hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_begin(&d);
	assert_int_equal(digest_end(&d, &got), OK);
	assert_int_equal(crypto_hash(CRYPTO_SHA256, STR(""), &want), OK);
	assert_true(str_equal(crypto_digest_str(&got), crypto_digest_str(&want)));
}

static void test_copy(void **state UNUSED)
{
	CLEANUP(digest_free) struct digest d = {0}, copy = {0};
	struct crypto_digest got, want;

	digest_begin(&d);
	digest_add(&d, STR("a"));
	digest_copy(&copy, &d);
	digest_add(&copy, STR("b"));
	digest_add(&d, STR("c"));
	assert_int_equal(digest_end(&copy, &got), OK);
	assert_int_equal(crypto_hash(CRYPTO_SHA256, STR("ab"), &want), OK);
	assert_true(str_equal(crypto_digest_str(&got), crypto_digest_str(&want)));
	assert_int_equal(digest_end(&d, &got), OK);
	assert_int_equal(crypto_hash(CRYPTO_SHA256, STR("ac"), &want), OK);
	assert_true(str_equal(crypto_digest_str(&got), crypto_digest_str(&want)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces), cmocka_unit_test(test_copy)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
