/* SPDX-License-Identifier: ISC */
#include "rt/signature_key.h"

#include "base/test.h"

#define DIGEST STR("0123456789abcdef0123456789abcdef")

static void make_read_sign(bool wanted, size_t public_min, size_t signature_size)
{
	BUF(pem, 8192);
	BUF(public, 1024);
	BUF(again, 1024);
	BUF(signature, 1024);
	struct signature_key *k;
	bool ed25519 = !wanted;

	assert_int_equal(signature_key_make(wanted, &pem), OK);
	assert_int_equal(signature_key_public(buf_str(&pem), &ed25519, &public), OK);
	assert_int_equal(ed25519, wanted);
	assert_true(public.n >= public_min);
	assert_int_equal(signature_key_read(buf_str(&pem), &k), OK);
	assert_int_equal(signature_key_sign(k, DIGEST, &signature), OK);
	assert_int_equal(signature.n, signature_size);
	assert_int_equal(signature_key_sign(k, DIGEST, &again), OK); /* both are deterministic */
	assert_true(str_equal(buf_str(&signature), buf_str(&again)));
	assert_int_equal(signature_key_sign(k, STR("short"), &again), E_DENIED);
	signature_key_free(k);
}

static void ed25519(void **state UNUSED)
{
	make_read_sign(true, 32, 64);
}

static void rsa(void **state UNUSED)
{
	make_read_sign(false, 290, 256);
}

static void no_keys(void **state UNUSED)
{
	struct signature_key *k;

	assert_int_equal(signature_key_read(STR(""), &k), E_SYNTAX);
	assert_int_equal(signature_key_read(STR("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), &k), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ed25519), cmocka_unit_test(rsa), cmocka_unit_test(no_keys)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
