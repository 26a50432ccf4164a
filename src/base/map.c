/* SPDX-License-Identifier: ISC */
/* Open addressing with linear probing; removal moves the followers back, so there are no tombstones. */
#include "base/map.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

enum { SIZE_FIRST = 16, KEY_INLINE = 16 };

struct map_entry {
	void *value; /* NULL: free */
	uint64_t hash;
	size_t n;
	union {
		char bytes[KEY_INLINE]; /* short keys live in the slot */
		char *far;
	} key;
};

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"): one round a word, three at the end. */
static uint64_t hash_of(const uint64_t seed[2], str key)
{
	uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d, seed[0] ^ 0x6c7967656e657261,
	                 seed[1] ^ 0x7465646279746573};
	uint64_t last = (uint64_t)key.n << 56;

	for (; key.n >= 8; key = str_drop(key, 8)) {
		uint64_t word;
		memcpy(&word, key.p, 8);
		word = le64toh(word);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < key.n; i++)
		last |= (uint64_t)(unsigned char)key.p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m)
{
	*m = (struct map){0};
	if (getrandom(m->seed, sizeof(m->seed), 0) == (ssize_t)sizeof(m->seed))
		return;
	/* No such call, or forbidden: the kernel gives every program 16 random bytes at its start. */
	const void *random = (const void *)getauxval(AT_RANDOM);
	if (random != NULL)
		memcpy(m->seed, random, sizeof(m->seed));
}

static str entry_key(const struct map_entry *e)
{
	return str_make(e->n <= KEY_INLINE ? e->key.bytes : e->key.far, e->n);
}

static bool entry_set_key(struct map_entry *e, str key)
{
	char *to = key.n <= KEY_INLINE ? e->key.bytes : malloc(key.n);

	if (to == NULL)
		return false;
	if (key.n > 0)
		memcpy(to, key.p, key.n);
	if (key.n > KEY_INLINE)
		e->key.far = to;
	e->n = key.n;
	return true;
}

static void entry_free_key(struct map_entry *e)
{
	if (e->n > KEY_INLINE)
		free(e->key.far);
}

void map_free(struct map *m)
{
	for (size_t i = 0; i < m->size; i++)
		if (m->slots[i].value != NULL)
			entry_free_key(&m->slots[i]);
	free(m->slots);
	m->slots = NULL;
	m->count = m->size = 0;
}

/* The slot of `key`, or the free one where it would go. There is always a free one. */
static struct map_entry *find(struct map_entry *slots, size_t size, uint64_t hash, str key)
{
	size_t at = hash & (size - 1);

	while (slots[at].value != NULL && !(slots[at].hash == hash && str_equal(entry_key(&slots[at]), key)))
		at = (at + 1) & (size - 1);
	return &slots[at];
}

static err grow(struct map *m)
{
	size_t size = m->size == 0 ? SIZE_FIRST : m->size * 2;
	struct map_entry *slots = calloc(size, sizeof(*slots));

	if (slots == NULL)
		return err_note(E_MEMORY, "no memory for a table of %zu entries", size);
	for (size_t i = 0; i < m->size; i++)
		if (m->slots[i].value != NULL)
			*find(slots, size, m->slots[i].hash, entry_key(&m->slots[i])) = m->slots[i];
	free(m->slots);
	m->slots = slots;
	m->size = size;
	return OK;
}

void *map_get(const struct map *m, str key)
{
	return m->size == 0 ? NULL : find(m->slots, m->size, hash_of(m->seed, key), key)->value;
}

err map_put(struct map *m, str key, void *value)
{
	if (m->count >= m->size / 4 * 3) {
		err e = grow(m);
		if (e != OK)
			return e;
	}
	uint64_t hash = hash_of(m->seed, key);
	struct map_entry *entry = find(m->slots, m->size, hash, key);
	if (entry->value == NULL) {
		if (!entry_set_key(entry, key))
			return err_note(E_MEMORY, "no memory for a key of %zu bytes", key.n);
		entry->hash = hash;
		m->count++;
	}
	entry->value = value;
	return OK;
}

/* Closes the gap at `hole`: an entry behind it moves there unless its home lies between the two. */
static void close_gap(struct map *m, size_t hole)
{
	size_t mask = m->size - 1;

	for (size_t at = (hole + 1) & mask; m->slots[at].value != NULL; at = (at + 1) & mask) {
		size_t home = m->slots[at].hash & mask;
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		m->slots[hole] = m->slots[at];
		hole = at;
	}
	m->slots[hole].value = NULL;
}

void *map_remove(struct map *m, str key)
{
	struct map_entry *entry = m->size == 0 ? NULL : find(m->slots, m->size, hash_of(m->seed, key), key);

	if (entry == NULL || entry->value == NULL)
		return NULL;
	void *value = entry->value;
	entry_free_key(entry);
	close_gap(m, (size_t)(entry - m->slots));
	m->count--;
	return value;
}

bool map_next(const struct map *m, size_t *at, str *key, void **value)
{
	while (*at < m->size) {
		const struct map_entry *entry = &m->slots[(*at)++];
		if (entry->value == NULL)
			continue;
		*key = entry_key(entry);
		*value = entry->value;
		return true;
	}
	return false;
}
