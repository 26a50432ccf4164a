/* SPDX-License-Identifier: ISC */
/* tokens - the words of a message by which it is recognised: of its subject, addresses, some other fields, its text parts decoded and without markup, the names of its
 * links. Hashes of 64 bits, each once. Pure; bounded in time and memory whatever the message.
 */
#ifndef SPAM_TOKENS_H
#define SPAM_TOKENS_H

#include "base/arena.h"
#include "base/err.h"

enum { TOKENS_MAX = 4096 }; /* of a message; more are left out */
struct token {
	uint64_t hash;
	str word; /* a view, for explanations: as it was seen, "subject:viagra" */
};
/* E_LIMIT: `a` has less than TOKENS_MEMORY left; E_MEMORY. */
enum { TOKENS_MEMORY = 1 << 20 };
MUST_USE err tokens_of(str message, struct arena *a, struct token **out, size_t *n);

#endif
