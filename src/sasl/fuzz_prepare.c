/* SPDX-License-Identifier: ISC */
/* What has a normal form has the same one again. */
#include "base/buf.h"
#include "sasl/prepare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	BUF(once, 1 << 16);
	BUF(twice, 1 << 16);

	if (prepare_strictly(str_make((const char *)data, n), &once) != OK)
		return 0;
	if (prepare_strictly(buf_str(&once), &twice) == OK && !str_equal(buf_str(&once), buf_str(&twice)))
		__builtin_trap();
	return 0;
}
