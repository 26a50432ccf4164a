/* SPDX-License-Identifier: ISC */
/* transfer - content transfer encodings (RFC 2045 6) and encoded words (RFC 2047), for what we write. Pure. */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/buf.h"

/* Text with CRLF line ends, as quoted-printable: lines of at most 76 octets, blanks at the end of a line encoded. */
void transfer_quoted_printable(struct buf *out, str text);
/* Any octets, as base64 in lines of 76, each with CRLF. */
void transfer_base64(struct buf *out, str octets);

/* An unstructured header field with its line end: ASCII as it is, folded at blanks; other text as encoded words in UTF-8. Controls become blanks, octets that are no
 * UTF-8 question marks. `name` without the colon. */
void transfer_field(struct buf *out, str name, str text);
/* A display name: a phrase of atoms, a quoted string, or encoded words (RFC 5322 3.4, RFC 2047 5). `column`: where it begins. */
void transfer_phrase(struct buf *out, str text, size_t column);

#endif
