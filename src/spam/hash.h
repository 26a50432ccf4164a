/* SPDX-License-Identifier: ISC */
/* hash - of texts, 64 bits. Hashes are kept for years: they are the same on every machine, and must stay so. Not secret: nothing may depend on that nobody finds two texts that
 * have the same.
 */
#ifndef SPAM_HASH_H
#define SPAM_HASH_H

#include "base/str.h"

uint64_t hash_text(uint64_t seed, str s);
uint64_t hash_open(uint64_t seed, str s); /* the same, faster: eight octets behind the text can be read, too */
uint64_t hash_pair(uint64_t first, uint64_t second); /* of two that follow each other */

#endif
