/* SPDX-License-Identifier: ISC */
/* Anything: what is unpacked is within its bounds. */
#include <stdlib.h>

#include "mailauth/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF(out, 1 << 20);

	if (zip_unpack(str_make((const char *)data, size), &out) == OK && out.n > out.cap)
		abort();
	return 0;
}
