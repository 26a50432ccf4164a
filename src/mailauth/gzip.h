/* SPDX-License-Identifier: ISC */
/* gzip - the format in which aggregate reports travel (RFC 1952; RFC 8460 5.2, RFC 7489 7.2.1.1). Pure. */
#ifndef MAILAUTH_GZIP_H
#define MAILAUTH_GZIP_H

#include "base/buf.h"
#include "base/err.h"

bool gzip_is(str octets);                            /* begins as one does */
MUST_USE err gzip_pack(str octets, struct buf *out); /* appends; E_LIMIT: `out` is full, E_MEMORY */
/* Appends what is in it, of all members one behind the other. E_LIMIT: it is more than `out` may hold, however small it came; E_SYNTAX: malformed or cut off; E_MEMORY. */
MUST_USE err gzip_unpack(str octets, struct buf *out);
/* The same of what is deflated alone (RFC 1951), as in zip; octets behind its end do not count. */
MUST_USE err gzip_inflate(str octets, struct buf *out);

#endif
