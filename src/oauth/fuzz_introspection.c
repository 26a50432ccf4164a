/* SPDX-License-Identifier: ISC */
#include "oauth/introspection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct claims_rules rules = {.user = STR("email"), .now = 1800000000};
	str text = str_make((const char *)data, n);
	struct claims c;
	ARENA(a, 1 << 18);
	BUF(form, 1 << 18);

	if (introspection_read(text, &rules, &a, &c) == OK && (c.user.n == 0 || c.expires <= rules.now - CLAIMS_LEEWAY))
		__builtin_trap();
	introspection_ask(text, &form);
	if (str_has_control(buf_str(&form)) || !str_is_ascii(buf_str(&form)))
		__builtin_trap();
	return 0;
}
