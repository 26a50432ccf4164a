/* SPDX-License-Identifier: ISC */
/* dkim_record - a domain's key as it stands in the DNS (RFC 6376 3.6.1, RFC 8463 4). Pure. */
#ifndef MAILAUTH_DKIM_RECORD_H
#define MAILAUTH_DKIM_RECORD_H

#include "base/arena.h"
#include "base/err.h"

struct dkim_record {
	bool ed25519; /* else RSA */
	str octets;   /* of the key, decoded; "" it was revoked */
	bool testing; /* t=y */
	bool strict;  /* t=s */
};
/* E_SYNTAX: no key record, or none for mail and SHA-256; err_info says why. E_LIMIT: the arena is full. */
MUST_USE err dkim_record_parse(str text, struct arena *a, struct dkim_record *out);

#endif
