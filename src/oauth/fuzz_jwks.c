/* SPDX-License-Identifier: ISC */
#include "oauth/jwks.h"
#include "oauth/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* No set but the real one has the key of a token. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const tokens[] = {token_rs256, token_es256, token_eddsa};
	struct jwks *s;

	if (jwks_read(str_make((const char *)data, n), &s) != OK)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		ARENA(a, 1 << 18);
		struct jwt t;

		if (jwt_read(str_from(tokens[i]), &a, &t) != OK)
			__builtin_trap();
		(void)!jwks_verify(s, &t);
		jwt_free(&t);
	}
	jwks_free(s);
	return 0;
}
