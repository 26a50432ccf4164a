/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "dns/anchor.h"

static err use(void *ctx UNUSED, const char *record)
{
	if (strlen(record) == 0 || strchr(record, '\n') != NULL || strchr(record, ';') != NULL)
		abort();
	return OK;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	(void)!anchor_each(str_make((const char *)data, size), use, NULL);
	return 0;
}
