/* SPDX-License-Identifier: ISC */
/* convert - a message for a server that takes less than the message needs (RFC 6152 3, RFC 3030 3): parts of 8-bit or binary octets become quoted-printable or base64
 * (RFC 2045 6). What can stay stays as it is, octet by octet. Pure; time grows with the message's size and the depth of its parts, which is capped.
 */
#ifndef MAIL_CONVERT_H
#define MAIL_CONVERT_H

#include "base/buf.h"
#include "base/err.h"

struct convert_options {
	bool eight_bit; /* the server takes 8-bit lines (8BITMIME): binary parts alone are changed. Else all that is not ASCII */
	bool binary; /* came as BINARYMIME: lines of more than 998 octets are to go, too */
};
/* How much a converted message may take of `out`; more is E_LIMIT. Real messages take much less. */
size_t convert_room(size_t message);
/* Appends the converted message: no NUL, no CR or LF that stands alone, and without `eight_bit` nothing but ASCII. A message without MIME becomes one of an unknown
 * character set (RFC 1428).
 * E_DENIED: a signed part (RFC 1847) would have to change. E_SYNTAX: octets stand where no encoding is allowed: in a header, or beneath an encoding that the part has already;
 * or the parts cannot be told from each other. E_LIMIT: parts nest deeper than 20, or `out` is full. */
MUST_USE err convert_message(str message, const struct convert_options *options, struct buf *out);

#endif
