/* SPDX-License-Identifier: ISC */
#include "sasl/siphash.h"

#include <endian.h>

struct state {
	uint64_t a, b, c, d;
};

static uint64_t load(const void *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

static void store(void *p, uint64_t word)
{
	word = htole64(word);
	memcpy(p, &word, sizeof(word));
}

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->a += s->b;
		s->b = rotate(s->b, 13) ^ s->a;
		s->a = rotate(s->a, 32);
		s->c += s->d;
		s->d = rotate(s->d, 16) ^ s->c;
		s->a += s->d;
		s->d = rotate(s->d, 21) ^ s->a;
		s->c += s->b;
		s->b = rotate(s->b, 17) ^ s->c;
		s->c = rotate(s->c, 32);
	}
}

static void take(struct state *s, uint64_t word)
{
	s->d ^= word;
	rounds(s, 2);
	s->a ^= word;
}

static uint64_t fold(struct state *s)
{
	rounds(s, 4);
	return s->a ^ s->b ^ s->c ^ s->d;
}

void siphash(const unsigned char key[16], str message, unsigned char out[SIPHASH_SIZE])
{
	uint64_t k0 = load(key), k1 = load(key + 8);
	struct state s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261,
	                  k1 ^ 0x7465646279746573};
	char last[8] = {0};

	last[7] = (char)message.n;
	for (; message.n >= 8; message = str_drop(message, 8))
		take(&s, load(message.p));
	if (message.n > 0)
		memcpy(last, message.p, message.n);
	take(&s, load(last));
	s.c ^= 0xee;
	store(out, fold(&s));
	s.b ^= 0xdd;
	store(out + 8, fold(&s));
}
