/* SPDX-License-Identifier: ISC */
#include "spam/hash.h"

#define FACTOR 0x9e3779b97f4a7c15u

static uint64_t stir(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93;
	return h ^ h >> 29;
}

static uint64_t read_le(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = n; i-- > 0;)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

uint64_t hash_text(uint64_t seed, str s)
{
	uint64_t h = seed ^ s.n * FACTOR;

	for (; s.n >= 8; s = str_drop(s, 8))
		h = stir((h ^ read_le(s.p, 8)) * FACTOR);
	return stir((h ^ read_le(s.p, s.n)) * FACTOR);
}

uint64_t hash_pair(uint64_t first, uint64_t second)
{
	return stir(first * FACTOR ^ second);
}
