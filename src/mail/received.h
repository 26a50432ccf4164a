/* SPDX-License-Identifier: ISC */
/* The trace header (RFC 5321 4.4). */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include "link/messages.h"

struct received {
	const struct origin *origin;
	str hostname;                /* ours */
	str tls_version, tls_cipher; /* "" none */
	uint64_t id;
	bool hide_client;   /* no `from`: where a user writes from is nobody's business */
	str only_recipient; /* "" when there are several: then no `for`, nor when it cannot be said in ASCII */
	int64_t at;         /* microseconds since 1970 */
};
/* "Received: from helo ([client]) by hostname with protocol (version cipher) id ID for <rcpt>; date" folded, with CRLF; whatever the
 * client said, the field stays well-formed. "(local user 1000)" in place of the client for a program of this machine (origin.login "uid=1000"). */
void received_print(struct buf *out, const struct received *r);

#endif
