/* SPDX-License-Identifier: ISC */
/* arena - memory that is given back all at once, with a cap. Leaving the function that owns the arena is the reset:
 *
 *	ARENA(a, 64 << 10);
 *	str copy = arena_str(&a, name);
 *	if (a.full)
 *		return err_set(E_LIMIT, 452, "4.3.1", "too much memory for one transaction");
 *
 * Running into the cap (or out of memory) is an ordinary, sticky error: allocations return NULL / STR_NONE and `full` is set.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *block; /* newest first; NULL while nothing was taken */
	size_t used, cap;          /* bytes */
	bool full;
};

#define ARENA_INIT(limit)  ((struct arena){.cap = (limit)})
#define ARENA(name, limit) CLEANUP(arena_free) struct arena name = ARENA_INIT(limit)

/* `n` zeroed bytes aligned for any type, or NULL. n = 0 gives a valid pointer. */
MUST_USE void *arena_alloc(struct arena *a, size_t n);
/* The same, not zeroed: for what is written at once. */
MUST_USE char *arena_octets(struct arena *a, size_t n);
/* `count` zeroed objects of `size`; checks the product. */
MUST_USE void *arena_array(struct arena *a, size_t count, size_t size);
str arena_str(struct arena *a, str s);   /* a copy */
str arena_lower(struct arena *a, str s); /* a copy, ASCII letters in lower case */
/* A copy as one line: `instead` stands for each control character (str_has_control). */
str arena_line(struct arena *a, str s, char instead);
/* A copy of printing ASCII, from ' ' to '~': '?' stands for each other octet. */
str arena_ascii(struct arena *a, str s);
MUST_USE char *arena_z(struct arena *a, str s); /* a C string; NULL also when s holds a NUL */
str arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
void arena_free(struct arena *a); /* all blocks; the arena can be used again */
void arena_wipe(struct arena *a); /* the same, and what it held is overwritten: passwords, keys */

#endif
