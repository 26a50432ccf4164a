/* SPDX-License-Identifier: ISC */
/* zip - the other format in which reports travel (APPNOTE 4.3): the first file of an archive. Pure. */
#ifndef MAILAUTH_ZIP_H
#define MAILAUTH_ZIP_H

#include "base/buf.h"
#include "base/err.h"

bool zip_is(str octets);
/* Appends the first file, stored or deflated. E_LIMIT: it is more than `out` may hold, however small it came; E_SYNTAX: malformed, cut off, or packed in another way; E_MEMORY. */
MUST_USE err zip_unpack(str octets, struct buf *out);

#endif
