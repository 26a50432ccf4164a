/* SPDX-License-Identifier: ISC */
/* Any message: what is taken out of it is no more than there was. */
#include <stdlib.h>

#include "mailauth/report_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const str types[] = {STR("application/tlsrpt+gzip"), STR("application/tlsrpt+json")};
	BUF(out, 1 << 20);

	if (report_part(str_make((const char *)data, size), types, ARRAY_LEN(types), &out) == OK && out.n > size)
		abort();
	return 0;
}
