/* SPDX-License-Identifier: ISC */
#include "spam/hash.h"

#include <endian.h>

#define FACTOR 0x9e3779b97f4a7c15u

static uint64_t stir(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93;
	return h ^ h >> 29;
}

static uint64_t read8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

static uint64_t read4(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

/* Fewer than eight octets, the first one lowest. What is read twice is the same in both: no loop, for most words are as short as that. */
static uint64_t read_few(const char *p, size_t n)
{
	if (n >= 4)
		return read4(p) | read4(&p[n - 4]) << 8 * (n - 4);
	if (n == 0)
		return 0;
	return (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 * (n / 2) |
	       (uint64_t)(unsigned char)p[n - 1] << 8 * (n - 1);
}

uint64_t hash_text(uint64_t seed, str s)
{
	uint64_t h = seed ^ s.n * FACTOR;

	for (; s.n >= 8; s = str_drop(s, 8))
		h = stir((h ^ read8(s.p)) * FACTOR);
	return stir((h ^ read_few(s.p, s.n)) * FACTOR);
}

uint64_t hash_open(uint64_t seed, str s)
{
	uint64_t h = seed ^ s.n * FACTOR, rest;

	for (; s.n >= 8; s = str_drop(s, 8))
		h = stir((h ^ read8(s.p)) * FACTOR);
	rest = read8(s.p) & ((UINT64_C(1) << 8 * s.n) - 1);
	return stir((h ^ rest) * FACTOR);
}

uint64_t hash_pair(uint64_t first, uint64_t second)
{
	return stir(first * FACTOR ^ second);
}
