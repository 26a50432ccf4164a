/* SPDX-License-Identifier: ISC */
/* domain_keys - which keys sign the mail of our domains: what the monitor told last, for `pombo dns keys`. The private halves are in `keys` alone. */
#ifndef STORE_DOMAIN_KEYS_H
#define STORE_DOMAIN_KEYS_H

#include "link/messages.h"

struct domain_keys {
	struct arena memory;
	struct domain_key *list;
	size_t n;
};
void domain_keys_free(struct domain_keys *k);

#endif
