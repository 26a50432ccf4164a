/* SPDX-License-Identifier: ISC */
#include "base/fnv.h"

uint64_t fnv_word(uint64_t hash, uint64_t word)
{
	return (hash ^ word) * UINT64_C(0x100000001b3);
}

uint64_t fnv_octets(uint64_t hash, str s)
{
	for (size_t i = 0; i < s.n; i++)
		hash = fnv_word(hash, (unsigned char)s.p[i]);
	return hash;
}
