/* SPDX-License-Identifier: ISC */
/* model - what was learned of words, as one block of memory that the store builds and every filter reads where it lies: a header and an open hash table of
 * {hash, good, bad}. Pure. A block is checked once, when it comes.
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

/* Says that `hash` will be looked for soon: a table is larger than the caches of a CPU. */
void model_expect(const struct model *m, uint64_t hash);

#endif
