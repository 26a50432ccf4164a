/* SPDX-License-Identifier: ISC */
/* A message on its way to the client, in pieces cut anywhere. */
#ifndef POP3_BODY_H
#define POP3_BODY_H

#include "rt/stream.h"

/* Byte-stuffing and the end of a multi-line response (RFC 1939 3). */
struct stuffing {
	struct stream *to;
	char last[2]; /* octets that were put last */
};

#define STUFFING_TO(stream) ((struct stuffing){(stream), {'\r', '\n'}})
void stuffing_put(struct stuffing *d, str bytes);
void stuffing_end(struct stuffing *d); /* a line end if there was none, and the dot */

/* What TOP shows (RFC 1939 7): the header, the blank line, and `lines` lines of the body. */
struct excerpt {
	uint64_t lines;
	bool in_body, done;
	size_t length; /* octets of the current line so far */
	char first;    /* of them */
};

#define EXCERPT_OF(lines) ((struct excerpt){(lines), false, false, 0, '\0'})
/* The leading part of `bytes` that is shown; `done` when nothing behind it is. */
str excerpt_take(struct excerpt *x, str bytes);

#endif
