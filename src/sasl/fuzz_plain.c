/* SPDX-License-Identifier: ISC */
#include "sasl/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	BUF(message, PLAIN_MAX);
	struct plain p;

	if (plain_decode(str_make((const char *)data, n), &message, &p) == OK &&
	    p.authorization.n + p.user.n + p.password.n + 2 != message.n)
		__builtin_trap();
	return 0;
}
