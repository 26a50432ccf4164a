/* SPDX-License-Identifier: ISC */
#include "sasl/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct plain p;

	if (plain_parse(str_make((const char *)data, n), &p) == OK &&
	    p.authorization.n + p.user.n + p.password.n + 2 != n)
		__builtin_trap();
	return 0;
}
