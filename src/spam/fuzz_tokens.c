/* SPDX-License-Identifier: ISC */
/* The words of any message are bounded, and each is there once. */
#include <stdlib.h>

#include "spam/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const struct token *)a)->hash, y = ((const struct token *)b)->hash;

	return x < y ? -1 : x > y;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ARENA(a, TOKENS_MEMORY);
	struct token *t;
	size_t count;

	if (tokens_of(str_make((const char *)data, n), &a, &t, &count) != OK)
		abort();
	qsort(t, count, sizeof *t, by_hash);
	for (size_t i = 1; i < count; i++)
		if (t[i].hash == t[i - 1].hash)
			abort();
	return 0;
}
