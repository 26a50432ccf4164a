/* SPDX-License-Identifier: ISC */
#include "oauth/claims.h"
#include "oauth/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct claims_rules rules = {.user = STR("email"), .now = 1800000000};
	struct claims c;
	struct jwt t;
	ARENA(a, 1 << 18);

	if (jwt_read(str_make((const char *)data, n), &a, &t) == OK) {
		if (t.algorithm == NULL || t.signature.n == 0 || t.signed_part.n >= n)
			__builtin_trap();
		if (claims_check(t.claims, &rules, &a, &c) == OK && (c.user.n == 0 || str_has_control(c.user)))
			__builtin_trap();
	}
	jwt_free(&t);
	return 0;
}
