/* SPDX-License-Identifier: ISC */
/* SMTP (RFC 5321) and LMTP (RFC 2033), the server's side: one function is one session. */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include "conf/config.h"
#include "link/link.h"
#include "rt/tls.h"

/* Memory that messages in the air may take, shared by the sessions of one process. */
struct body_budget {
	uint64_t used, cap; /* octets */
};

struct smtp_options {
	const struct config *config; /* lives as long as the session */
	struct peers *peers;
	struct tls_context *tls; /* for STARTTLS; NULL: not offered */
	struct body_budget *budget;
	struct net_address client;
	str session; /* its id */
	bool lmtp;
	bool submission; /* RFC 6409: for users, who log in */
	bool local;      /* with `submission`: for programs of this machine, whom the kernel has named (`uid`): nobody logs in */
	uint64_t uid;
	const bool *stopping; /* becomes true when the process shuts down: 421 at the next command */
	/* NULL, or true while the session waits for a command: when the process shuts down its coroutine may be cancelled
	 * then; it says 421 by itself, and nothing is lost. */
	bool *idle;
};
/* Greets, serves until QUIT, an error or a limit, and finishes the stream, which stays the caller's to close. */
void smtp_serve(struct stream *s, const struct smtp_options *options);

#endif
