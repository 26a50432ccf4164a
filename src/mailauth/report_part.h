/* SPDX-License-Identifier: ISC */
/* report_part - what an aggregate report's mail is about: the part of it that is for machines. Pure. */
#ifndef MAILAUTH_REPORT_PART_H
#define MAILAUTH_REPORT_PART_H

#include "base/buf.h"
#include "base/err.h"

/* The first part of `message`, or the message itself, that is of one of the media `types` ("application/tlsrpt+gzip", lower case), appended with its transfer encoding
 * undone. Lenient. E_NOT_FOUND: there is none; E_SYNTAX: its encoding is malformed, or none that we know; E_LIMIT: `out` is full. */
MUST_USE err report_part(str message, const str *types, size_t types_n, struct buf *out);

#endif
