/* SPDX-License-Identifier: ISC */
/* credentials - what the monitor reads from files and hands out: certificates with their keys, keys of domains, and what others are believed by. */
#ifndef ROLE_CREDENTIALS_H
#define ROLE_CREDENTIALS_H

#include "role/children.h"
#include "role/domain_keys.h"

struct credentials { /* all zero: none */
	struct certificates certificates;
	struct trust_files trust;
	struct domain_keys domain_keys;
	uint64_t certificates_seen, trust_seen; /* stamps */
};

MUST_USE err credentials_load(struct credentials *c, const struct config *config);
void credentials_free(struct credentials *c);
/* Has one of the files changed since they were read? */
bool credentials_changed(const struct credentials *c, const struct config *config);
/* Reads them again and tells the roles. What cannot be used, or read, never replaces what is in use; the log says so. */
void credentials_renew(struct credentials *c, struct config *config, struct children *children);

#endif
