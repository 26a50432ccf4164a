/* SPDX-License-Identifier: ISC */
/* domain_keys - the keys by which a domain of ours signs its mail (RFC 6376), as files in data/keys/dkim, named as the DNS has them: SELECTOR._domainkey.DOMAIN, a
 * private key in PEM. Those that are missing are made, and so are new ones when the newest is older than `dkim-rotate`; the two before it stay, as their signatures are still
 * under way and the DNS may not know the new one yet, and so does the oldest; others are removed. A key that was put there by hand is used like any other.
 */
#ifndef ROLE_DOMAIN_KEYS_H
#define ROLE_DOMAIN_KEYS_H

#include "conf/config.h"
#include "link/messages.h"

struct domain_keys { /* all zero: none */
	struct domain_key *items;
	size_t n;
	uint64_t seen; /* stamp of the folder */
	struct arena memory;
};

/* A file that is no key is passed over, and said in the log. E_IO, E_MEMORY. */
MUST_USE err domain_keys_load(const struct config *config, int64_t now, struct domain_keys *out);
void domain_keys_free(struct domain_keys *k); /* wipes the private keys */
/* Is there anything to make, or was a file put there or taken away? `k`: as they were loaded. */
bool domain_keys_changed(const struct domain_keys *k, const struct config *config, int64_t now);

#endif
