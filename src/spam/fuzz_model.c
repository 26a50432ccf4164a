/* SPDX-License-Identifier: ISC */
/* A table that is opened can be searched, whatever is in it. */
#include "spam/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct model m;

	if (model_open(str_make((const char *)data, n), &m) == OK)
		for (uint64_t i = 0; i < 64; i++)
			(void)model_find(&m, i << 58);
	return 0;
}
