/* SPDX-License-Identifier: ISC */
/* What the files of this room share: one session, and how it answers. */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H

#include "pop3/command.h"
#include "pop3/maildrop.h"
#include "pop3/server.h"
#include "sasl/offer.h"

#define CALL_TIME (60 * NSEC_PER_SEC) /* for another process to answer */

struct pop3 {
	struct stream *stream;
	const struct pop3_options *options;
	struct arena *memory;        /* for the whole session */
	struct pop3_command command; /* views of the line that was read last */
	struct maildrop drop;
	nsec started;
	bool granted; /* the store may know this session */
	bool linger;  /* the client may still be talking when we close */
	uint64_t errors, retrieved, removed;
	uint64_t commands; /* that did not move mail */
};

/* One line. `code` is a response code (RFC 2449 8, RFC 3206) without brackets, NULL none. A failure counts as an error of the client. */
void pop3_ok(struct pop3 *s, const char *fmt, ...) PRINTF(2, 3);
void pop3_fail(struct pop3 *s, const char *code, const char *fmt, ...) PRINTF(3, 4);
/* -ERR with [SYS/PERM] or [SYS/TEMP], whichever fits the error of a call. */
void pop3_fail_call(struct pop3 *s, err e, const char *what);

/* How the client may log in. */
struct sasl_offer pop3_offer(const struct pop3 *s);

/* When the wait for the client's next line ends. */
nsec pop3_line_deadline(const struct pop3 *s);

/* Tells the store that this session is over: its grant and its lock end. */
void pop3_release(struct pop3 *s);

/* Throws away what the client still says, for a moment: it gets our last reply only if nothing lies unread at the close. */
void pop3_hear_out(struct pop3 *s);

/* authenticate.c: each answers by itself; drop.open says whether it worked. */
void pop3_pass(struct pop3 *s, str user);
MUST_USE err pop3_auth(struct pop3 *s); /* the stream's error */

/* listing.c */
void pop3_stat(struct pop3 *s);
void pop3_list(struct pop3 *s);
void pop3_uidl(struct pop3 *s);

/* retrieve.c: an error means that half a message was sent: the connection must be closed, no reply can follow. */
MUST_USE err pop3_retr(struct pop3 *s);
MUST_USE err pop3_top(struct pop3 *s);

#endif
