/* SPDX-License-Identifier: ISC */
/* map - from bytes to a pointer. Keys are copied; the hash is keyed (SipHash-1-3) so that no peer can choose collisions. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/err.h"
#include "base/str.h"

struct map_entry;

struct map {
	struct map_entry *slots;
	size_t count, size;
	uint64_t seed[2];
};

void map_init(struct map *m);                              /* seeds itself from the kernel */
void map_free(struct map *m);                              /* values are the caller's */
void *map_get(const struct map *m, str key);               /* NULL when absent */
MUST_USE err map_put(struct map *m, str key, void *value); /* replaces; value must not be NULL; E_MEMORY */
void *map_remove(struct map *m, str key);                  /* the value that was there, or NULL */
/* Walks in no order: start with *at = 0; false at the end. The map must not be changed on the way. */
bool map_next(const struct map *m, size_t *at, str *key, void **value);

#define MAP_U64_KEY(v) str_make((const char *)&(v), sizeof(v)) /* v: a uint64_t variable */

#endif
