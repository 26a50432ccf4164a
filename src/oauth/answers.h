/* SPDX-License-Identifier: ISC */
/* answers - good answers about tokens, for a short time. A token is known by its digest alone; one may put another's out of its place. */
#ifndef OAUTH_ANSWERS_H
#define OAUTH_ANSWERS_H

#include "base/arena.h"
#include "rt/crypto.h"
#include "rt/rt.h"

enum { ANSWERS_MAX = 512, ANSWERS_USER_MAX = 320 };

struct answer {
	unsigned char digest[CRYPTO_SHA256_SIZE];
	nsec until; /* 0: empty */
	size_t user_n;
	char user[ANSWERS_USER_MAX];
};
struct answers { /* all zero: none */
	struct answer items[ANSWERS_MAX];
};

void answers_put(struct answers *t, str token, str user, nsec until);
/* Whose it is, in `a`; STR_NONE: not known, or no longer. */
str answers_find(const struct answers *t, str token, struct arena *a);
void answers_clear(struct answers *t);

#endif
