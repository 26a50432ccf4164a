/* SPDX-License-Identifier: ISC */
/* dkim_keys - the keys that the signatures of one message are checked with: each name is asked for once. */
#ifndef MAILAUTH_DKIM_KEYS_H
#define MAILAUTH_DKIM_KEYS_H

#include "mailauth/dkim_signature.h"

struct dkim_known;
struct dkim_keys {
	const struct dkim_options *options;
	struct arena *a;
	struct dkim_known *known;
};
#define DKIM_KEYS(name, o, arena) CLEANUP(dkim_keys_free) struct dkim_keys name = {(o), (arena), NULL}
void dkim_keys_free(struct dkim_keys *k);

/* Where the key of `s` is; STR_NONE: the arena is full. */
str dkim_keys_name(const struct dkim_keys *k, const struct dkim_signature *s);
/* Asks for the keys of these names, all at once but for those that are known; what became of it is remembered. Parks. E_CANCELLED, E_LIMIT, E_MEMORY. */
MUST_USE err dkim_keys_ask(struct dkim_keys *k, const str *names, size_t n);
/* Verifies the signature of `digest`; the result is in *r, PASS among others. Parks when its key was not asked for yet. E_CANCELLED, E_LIMIT, E_MEMORY. */
MUST_USE err dkim_keys_verify(struct dkim_keys *k, const struct dkim_signature *s, const struct crypto_digest *digest,
                              struct dkim_result *r);

#endif
