/* SPDX-License-Identifier: ISC */
#include "oauth/answers.h"

static size_t place_of(const struct crypto_digest *d)
{
	return ((size_t)d->bytes[0] << 8 | d->bytes[1]) % ANSWERS_MAX;
}

void answers_put(struct answers *t, str token, str user, nsec until)
{
	struct crypto_digest d;

	if (until <= rt_now() || user.n > ANSWERS_USER_MAX || crypto_hash(CRYPTO_SHA256, token, &d) != OK)
		return;
	struct answer *x = &t->items[place_of(&d)];
	*x = (struct answer){.until = until, .user_n = user.n};
	memcpy(x->digest, d.bytes, sizeof(x->digest));
	memcpy(x->user, user.p, user.n);
}

str answers_find(const struct answers *t, str token, struct arena *a)
{
	struct crypto_digest d;

	if (crypto_hash(CRYPTO_SHA256, token, &d) != OK)
		return STR_NONE;
	const struct answer *x = &t->items[place_of(&d)];
	if (x->until <= rt_now() || memcmp(x->digest, d.bytes, sizeof(x->digest)) != 0)
		return STR_NONE;
	return arena_str(a, str_make(x->user, x->user_n));
}

void answers_clear(struct answers *t)
{
	memset(t, 0, sizeof(*t));
}
