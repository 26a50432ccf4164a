/* SPDX-License-Identifier: ISC */
/* public_keys - which keys sign the mail of our domains: what the monitor told last, for `pombo dns keys`. The private halves are in `keys` alone. */
#ifndef STORE_PUBLIC_KEYS_H
#define STORE_PUBLIC_KEYS_H

#include "link/messages.h"

struct public_keys {
	struct arena memory;
	struct domain_key *list;
	size_t n;
};
void public_keys_free(struct public_keys *k);

#endif
