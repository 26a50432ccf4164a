/* SPDX-License-Identifier: ISC */
#include "sasl/oauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct oauth_message *m)
{
	if (str_has_control(m->token) || str_find(m->token, ' ') < m->token.n || str_has_control(m->authorization) ||
	    !str_is_utf8(m->authorization))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str message = str_make((const char *)data, n);
	struct oauth_message m;
	ARENA(a, 1 << 16);

	if (oauth_bearer_parse(message, &a, &m) == OK)
		check(&m);
	if (oauth_x_parse(message, &m) == OK)
		check(&m);
	(void)oauth_bearer_refusal(message, &a);
	return 0;
}
