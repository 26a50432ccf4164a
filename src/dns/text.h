/* SPDX-License-Identifier: ISC */
/* text - types and data of records as people write them (RFC 1035 5.1, RFC 3597). */
#ifndef DNS_TEXT_H
#define DNS_TEXT_H

#include "base/buf.h"

/* "mx", "TYPE64". False: there is none of that name. */
MUST_USE bool dns_type_find(str text, uint64_t *type);
void dns_type_put(struct buf *out, uint64_t type);
/* On one line, without control characters; names without the dot at their end. Data that is malformed, or of a type that is not known here, as
 * "\# LENGTH HEX". */
void dns_data_put(struct buf *out, uint64_t type, str data);

#endif
