/* SPDX-License-Identifier: ISC */
/* anchor - where trust in the DNS begins (RFC 4035 5): DS or DNSKEY records, as in a zone file. */
#ifndef DNS_ANCHOR_H
#define DNS_ANCHOR_H

#include "base/err.h"
#include "base/str.h"

/* Calls `use` with each record on one line, until it fails. `text` "": those of the root (IANA, KSK-2017 and KSK-2024). Comments are left out; records in
 * parentheses may take several lines. E_SYNTAX: there is none, or a line that is none. */
MUST_USE err anchor_each(str text, err (*use)(void *ctx, const char *record), void *ctx);

#endif
