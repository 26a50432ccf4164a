/* SPDX-License-Identifier: ISC */
/* client_reply - replies of servers (RFC 5321 4.2), as their lines come in. Pure. */
#ifndef SMTP_CLIENT_REPLY_H
#define SMTP_CLIENT_REPLY_H

#include "smtp/client.h"

/* What is tolerated of a server: octets of a line with its end, lines, octets in all. */
struct reply_limits {
	size_t line, lines, octets;
};
extern const struct reply_limits reply_limits_common; /* 1 KiB, 100, 64 KiB */

/* A reply while it is read. `lines` gets the text of each line behind its code, as it was sent, each with a LF behind it. */
struct reply_reading {
	const struct reply_limits *limits;
	struct buf *lines;
	size_t lines_n, octets;
	int code;
	bool done; /* the last line was seen */
};
/* The next line, with its LF. E_SYNTAX: this is no reply. */
MUST_USE err reply_take_line(struct reply_reading *r, str line);

/* The lines of a whole reply, put together for people: status and text. */
void reply_print(struct smtp_reply *out, int code, str lines);
/* Takes the next line's text off *lines; false: there is none. */
MUST_USE bool reply_next_line(str *lines, str *text);

#endif
