/* SPDX-License-Identifier: ISC */
/* keyring - which key of a domain of ours signs: of each algorithm the newest one whose record is in the DNS; when none is, the oldest, whose record is most likely
 * under way. Looked up in the background, so that no message waits for it.
 */
#ifndef FILTER_KEYRING_H
#define FILTER_KEYRING_H

#include "dns/dns.h"
#include "mailauth/dkim.h"

struct keyring;
/* `resolver` is copied. */
MUST_USE err keyring_new(const struct resolver *resolver, struct link *keys, struct keyring **out);
MUST_USE err keyring_start(struct keyring *k); /* begins to look them up */
void keyring_stop(struct keyring *k);
void keyring_free(struct keyring *k); /* NULL allowed */
/* From now on these, or more, or when the last part is there (certify_request). E_MEMORY, E_SYNTAX (a part is missing): those from before stay. */
MUST_USE err keyring_replace(struct keyring *k, const struct certify_request *q);

enum { KEYRING_KEYS_MAX = 2 };
/* The keys that sign for `domain`, lower case; `algorithms`: bits of DKIM_RSA, DKIM_ED25519. Their `sign` parks, and is for the caller's coroutine alone, until
 * `a` is freed. Returns how many. */
size_t keyring_pick(const struct keyring *k, str domain, unsigned algorithms, struct arena *a,
                    struct dkim_key out[KEYRING_KEYS_MAX]);

#endif
