/* SPDX-License-Identifier: ISC */
/* domain_keys - the keys by which a domain of ours signs its mail (RFC 6376), as files in data/keys/dkim, named as the DNS has them: SELECTOR._domainkey.DOMAIN, a
 * private key in PEM. Those that are missing are made, and so are new ones when the newest is older than `dkim-rotate`; the two before it stay, as their signatures are still
 * under way and the DNS may not know the new one yet, and so does the oldest; others are removed. A key that was put there by hand is used like any other.
 */
#ifndef ROLE_DOMAIN_KEYS_H
#define ROLE_DOMAIN_KEYS_H

#include "conf/config.h"
#include "link/messages.h"

struct domain_keys {              /* all zero: none */
	struct domain_key *items; /* by domain and algorithm, the newest first */
	size_t n, cap;
	uint64_t seen; /* stamp of the folder */
	struct arena memory;
};

/* Those that are there, of `only`, or of all (STR_NONE). A file that is no key, or one too many, is passed over, and said in the log. E_IO, E_MEMORY. */
MUST_USE err domain_keys_load(const struct config *config, str only, struct domain_keys *out);
void domain_keys_free(struct domain_keys *k); /* wipes the private keys */
/* Was a file put there or taken away by somebody else? */
bool domain_keys_changed(const struct domain_keys *k, const struct config *config);

enum { KEY_FILE_SIZE = 256 };
struct key_due {
	str domain; /* view into the configuration */
	size_t algorithm;
	char file[KEY_FILE_SIZE];   /* once it is made */
	uint64_t seen_before, seen; /* stamps of the folder, before and after */
	uint64_t key;               /* its number, once it is taken */
	bool removed;               /* others went for it */
};

/* The next one that is missing, or to be replaced, from `*at` on, which is 0 at first. */
MUST_USE bool domain_keys_due(const struct domain_keys *k, const struct config *config, int64_t now, size_t *at,
                              struct key_due *out);
/* Makes its file: some tenths of a second; for any thread. After a crash there is all of it or nothing. E_IO, E_LIMIT. */
MUST_USE err domain_keys_make(const struct config *config, int64_t now, struct key_due *due);
/* Adds it, and removes what is too old for it. */
MUST_USE err domain_keys_take(struct domain_keys *k, const struct config *config, struct key_due *due);
/* Both, of what is due of `only`, or of all (STR_NONE), at most `max`. */
MUST_USE err domain_keys_make_first(struct domain_keys *k, const struct config *config, str only, int64_t now,
                                    size_t max);

#endif
