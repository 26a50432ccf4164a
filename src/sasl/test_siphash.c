/* SPDX-License-Identifier: ISC */
#include "sasl/siphash.h"

#include "base/encode.h"
#include "base/test.h"

/* Key 00 01 .. 0f, message 00 01 .. (n - 1): as OpenSSL's SIPHASH and the authors' vectors have it. */
static void vectors(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		const char *hash;
	} known[] = {
		{0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
		{7, "a1f1ebbed8dbc153c0b84aa61ff08239"},  {8, "3b62a9ba6258f5610f83e264f31497b4"},
		{15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {63, "5150d1772f50834a503e069a973fbd7c"},
	};
	unsigned char key[16], out[SIPHASH_SIZE];
	char message[64];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (char)i;
	memcpy(key, message, sizeof(key));
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		BUF(hex, 100);
		siphash(key, str_make(message, known[i].n), out);
		hex_encode(&hex, str_make((const char *)out, sizeof(out)));
		assert_str(buf_str(&hex), known[i].hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
