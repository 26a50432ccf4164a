/* SPDX-License-Identifier: ISC */
/* model - what was learned of words, as one block of memory that the store builds and every filter reads where it lies: a header and an open hash table of
 * {hash, good, bad}, with an octet for each slot in front of it all that says which hash it may be: most that is looked for is not there, and these octets fit into a
 * CPU's caches. Pure. A block is checked once, when it comes.
 */
#ifndef SPAM_MODEL_H
#define SPAM_MODEL_H

#include "base/buf.h"
#include "base/err.h"

struct model_counts {
	uint32_t good, bad; /* messages */
};
/* --- building --- */
MUST_USE size_t model_size(size_t tokens); /* octets of a table for so many */
struct model_builder {
	char *memory; /* model_size octets, the caller's */
	size_t size;
};
MUST_USE err model_begin(struct model_builder *b, size_t tokens, struct model_counts messages);
MUST_USE err model_add(struct model_builder *b, uint64_t hash,
                       struct model_counts counts); /* E_LIMIT: more than were announced */
/* --- reading --- */
struct model {
	str memory;
	struct model_counts messages; /* that were learned */
};
MUST_USE err model_open(str memory, struct model *out);               /* E_SYNTAX: no table, or not whole */
struct model_counts model_find(const struct model *m, uint64_t hash); /* 0, 0: not known */
/* Looks for `n` of them, MODEL_BATCH at most: while one is fetched from memory the others are, too. */
enum { MODEL_BATCH = 64 };
void model_find_each(const struct model *m, const uint64_t *hashes, size_t n, struct model_counts *out);

#endif
