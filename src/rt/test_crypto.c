/* SPDX-License-Identifier: ISC */
#include "base/encode.h"
#include "base/test.h"
#include "rt/crypto.h"

/* RFC 4231 4.2 and 4.3 */
static void hmac_of_the_rfc(void **state)
{
	static const struct {
		str key, message;
		const char *hex;
	} known[] = {
		{STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"), STR("Hi There"),
	         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{STR("Jefe"), STR("what do ya want for nothing?"),
	         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		unsigned char out[CRYPTO_SHA256_SIZE];
		BUF(hex, 100);

		assert_int_equal(crypto_hmac_sha256(known[i].key, known[i].message, out), OK);
		hex_encode(&hex, str_make((const char *)out, sizeof(out)));
		assert_str(buf_str(&hex), known[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hmac_of_the_rfc)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
