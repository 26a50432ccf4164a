/* SPDX-License-Identifier: ISC */
/* CRC-32C (Castagnoli; RFC 3720 12.1): reflected polynomial 0x82f63b78, over the CPU's own instruction where it has one. */
#include <endian.h>

#include "base/encode.h"

static uint32_t table[8][256];

__attribute__((constructor)) static void table_fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
		table[0][i] = crc;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int t = 1; t < 8; t++)
			table[t][i] = table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 0xff];
}

static uint64_t load64(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

/* Eight bytes a step, one table a byte. */
static uint32_t crc_by_table(uint32_t crc, str s)
{
	for (; s.n >= 8; s = str_drop(s, 8)) {
		uint64_t word = load64(s.p) ^ crc;
		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= table[7 - i][word >> (8 * i) & 0xff];
	}
	for (size_t i = 0; i < s.n; i++)
		crc = crc >> 8 ^ table[0][(crc ^ (unsigned char)s.p[i]) & 0xff];
	return crc;
}

#if defined(__x86_64__)

static bool cpu_has_crc(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint32_t crc_by_cpu(uint32_t crc, str s)
{
	uint64_t wide = crc;

	for (; s.n >= 8; s.p += 8, s.n -= 8)
		wide = __builtin_ia32_crc32di(wide, load64(s.p));
	crc = (uint32_t)wide;
	for (size_t i = 0; i < s.n; i++)
		crc = __builtin_ia32_crc32qi(crc, (unsigned char)s.p[i]);
	return crc;
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif

static bool cpu_has_crc(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}

/* Written as assembly because the two compilers offer the intrinsics under different conditions. */
static uint32_t crc_by_cpu(uint32_t crc, str s)
{
	for (; s.n >= 8; s.p += 8, s.n -= 8)
		__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(load64(s.p)));
	for (size_t i = 0; i < s.n; i++)
		__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((unsigned char)s.p[i]));
	return crc;
}

#else

static bool cpu_has_crc(void)
{
	return false;
}

static uint32_t crc_by_cpu(uint32_t crc, str s)
{
	return crc_by_table(crc, s);
}

#endif

uint32_t crc32c_by_table(uint32_t crc, str data)
{
	return ~crc_by_table(~crc, data);
}

uint32_t crc32c(uint32_t crc, str data)
{
	return ~(cpu_has_crc() ? crc_by_cpu(~crc, data) : crc_by_table(~crc, data));
}
