/* SPDX-License-Identifier: ISC */
/* Header fields of a message (RFC 5322 2.2), read without copying. Lenient: a line that is no field ends the header,
 * the "From " line of a mailbox file in front of all is skipped. */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/arena.h"
#include "base/str.h"

struct header_field {
	str name;  /* without the colon and blanks before it */
	str value; /* raw, folded lines included, without the last line end */
	str whole; /* the field with its line end(s) */
};
/* Walks the fields: *at starts at 0; false at the end of the header. Accepts CRLF and LF. */
bool header_next(str message, size_t *at, struct header_field *out);
size_t header_size(str message);                                   /* octets up to and with the empty line */
bool header_find(str message, str name, struct header_field *out); /* the first of that name */
str header_unfold(struct arena *a, str value);                     /* one line, blanks trimmed */

#endif
