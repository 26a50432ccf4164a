/* SPDX-License-Identifier: ISC */
/* POP3 (RFC 1939, 2449, 2595, 3206, 5034, 6856), the server's side: one function is one session.
 *
 * Messages are sent as they are stored, also those with UTF-8 in their header to clients that did not say UTF8: the alternative
 * that RFC 6856 leaves, a refusal, would hide them.
 */
#ifndef POP3_SERVER_H
#define POP3_SERVER_H

#include "conf/config.h"
#include "link/link.h"
#include "rt/tls.h"

struct pop3_options {
	const struct config *config; /* lives as long as the session */
	struct peers *peers;         /* keys and store are called */
	struct tls_context *tls;     /* for STLS; NULL: not offered */
	struct net_address client;
	str session; /* its id */
	/* Becomes true when the process shuts down: -ERR [SYS/TEMP] at the next command but QUIT. */
	const bool *stopping;
	/* NULL, or true while the session waits for a command: when the process shuts down its coroutine may be cancelled then. */
	bool *idle;
};
/* Greets, serves until QUIT, an error or a limit, and finishes the stream. What was marked with DELE goes only at QUIT. The stream stays the
 * caller's to close. */
void pop3_serve(struct stream *s, const struct pop3_options *options);

#endif
