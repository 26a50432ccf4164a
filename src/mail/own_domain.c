/* SPDX-License-Identifier: ISC */
#include "mail/own_domain.h"

#include "mail/address.h"

enum { KEY_MEMORY = 8 << 10 };

const struct config_domain *own_domain(const struct config *c, str address)
{
	ARENA(a, KEY_MEMORY);
	struct address parsed;
	str local, domain;

	if (address_parse(address, true, &parsed) != OK || parsed.literal ||
	    address_key(&a, &parsed, &local, &domain) != OK)
		return NULL;
	return config_domain_find(c, domain);
}
