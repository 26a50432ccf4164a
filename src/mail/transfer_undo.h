/* SPDX-License-Identifier: ISC */
/* transfer_undo - content transfer encodings undone (RFC 2045 6), leniently: as programs that show mail do it. Pure, linear. */
#ifndef MAIL_TRANSFER_UNDO_H
#define MAIL_TRANSFER_UNDO_H

#include "base/buf.h"
#include "base/err.h"

/* Appends what `in` stands for. `encoding`: of Content-Transfer-Encoding, in any case, "" none. base64: other octets than its own are passed over, padding may be missing;
 * quoted-printable: what is malformed stays as it is.
 * E_SYNTAX: the encoding is unknown (nothing was appended), or base64 ends within an octet. E_LIMIT: `out` is full; it has the beginning. */
MUST_USE err transfer_undo(struct buf *out, str encoding, str in);

/* The Q encoding of RFC 2047 4.2: quoted-printable in which "_" is a blank. */
MUST_USE err transfer_undo_q(struct buf *out, str in);

#endif
