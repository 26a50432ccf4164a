/* SPDX-License-Identifier: ISC */
/* Anything: what is unpacked is within its bounds; and what is packed comes back. */
#include <stdlib.h>

#include "mailauth/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF(out, 1 << 20);
	BUF(packed, 1 << 20);
	BUF(again, 1 << 20);
	str octets = str_make((const char *)data, size);

	if (gzip_unpack(octets, &out) == OK && out.n > out.cap)
		abort();
	if (gzip_pack(octets, &packed) != OK || gzip_unpack(buf_str(&packed), &again) != OK ||
	    !str_equal(octets, buf_str(&again)))
		abort();
	return 0;
}
