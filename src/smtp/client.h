/* SPDX-License-Identifier: ISC */
/* client - SMTP (RFC 5321) and LMTP (RFC 2033), the client's side: one step of the dialogue is one function. It knows nothing of queues, names or policies; the
 * caller decides whom to connect to and what to make of what is heard. Used by the relay and by `pombo send`.
 *
 * Every step: OK the server agreed (2xx, 3xx for DATA). E_PERM: 5xx; E_TEMP: 4xx: the reply is in c->reply, and the connection can still be used (smtp_client_usable).
 * E_SYNTAX: no SMTP (malformed or endless reply, 1 KiB a line, 100 lines, 64 KiB in all); E_CLOSED, E_TIMEOUT, E_IO, E_CANCELLED: the connection is gone.
 * Error texts of ours are in err_info. Timeouts are those of RFC 5321 4.5.3.2, and a cap on a whole reply.
 */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/arena.h"
#include "link/messages.h"
#include "rt/tls_client.h"

enum smtp_extension { /* bits of client.extensions */
	              SMTP_EXT_PIPELINING = 1,
	              SMTP_EXT_SIZE = 2,
	              SMTP_EXT_8BITMIME = 4,
	              SMTP_EXT_CHUNKING = 8,
	              SMTP_EXT_BINARYMIME = 16,
	              SMTP_EXT_SMTPUTF8 = 32,
	              SMTP_EXT_DSN = 64,
	              SMTP_EXT_STARTTLS = 128,
	              SMTP_EXT_AUTH = 256,
	              SMTP_EXT_DELIVERBY = 512,
	              SMTP_EXT_REQUIRETLS = 1024,
	              SMTP_EXT_MT_PRIORITY = 2048,
	              SMTP_EXT_FUTURERELEASE = 4096,
	              SMTP_EXT_XFATE = 8192, /* ours: what became of a message (docs/architecture.md) */
	              SMTP_EXT_ENHANCED = 16384
};

struct smtp_reply {
	int code;        /* 0: none was heard */
	char status[12]; /* "5.1.1", made up from the code when the server says none */
	struct buf
		text; /* all lines without codes and status, joined by blanks, controls replaced; at most 1000 octets */
};

struct smtp_client; /* opaque but for what the functions below give */

struct smtp_client_options {
	str hello; /* our name, for EHLO */
	bool lmtp;
	bool local;                                            /* the server is at the other end of a Unix socket: nobody listens on the way */
	str session;                                           /* for logs */
	nsec greeting_time, command_time, data_time, end_time; /* 0: RFC 5321's 5m, 5m, 3m, 10m */
	nsec until; /* as smtp_client_until; 0: RT_NEVER */
};
/* Over a connected stream, which it owns. NULL: no memory (closed). */
MUST_USE struct smtp_client *smtp_client_new(struct stream *s, const struct smtp_client_options *o);
/* From then on (of the loop's clock) nothing is waited for, whatever time a step may have: E_TIMEOUT. */
void smtp_client_until(struct smtp_client *c, nsec until);
void smtp_client_free(struct smtp_client *c);                            /* closes at once; NULL allowed */
void smtp_client_quit(struct smtp_client *c);                            /* QUIT, a moment for the answer, free */
const struct smtp_reply *smtp_client_reply(const struct smtp_client *c); /* of the last step */
bool smtp_client_usable(const struct smtp_client *c);                    /* another transaction may begin */
unsigned smtp_client_extensions(const struct smtp_client *c);
uint64_t smtp_client_size_max(const struct smtp_client *c); /* SIZE's, 0 not said */
struct stream *smtp_client_stream(struct smtp_client *c);

/* Reads the greeting and says EHLO (LHLO), HELO when that is not known. */
MUST_USE err smtp_client_greet(struct smtp_client *c);
/* STARTTLS, the handshake, and EHLO again: nothing that was heard before counts any more (RFC 3207 4.2). Replies that came before the handshake are a fault (E_SYNTAX).
 * E_NOT_FOUND: it is not offered. E_TEMP, E_PERM while the client is usable: it was refused, and all is as it was. Other errors: those of stream_start_tls_client. */
MUST_USE err smtp_client_starttls(struct smtp_client *c, struct tls_client *tls, const struct tls_peer *peer,
                                  struct tls_proof *proof);
/* The strongest mechanism that both have: SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN and LOGIN (these two under TLS alone, unless `plain_allowed`). SCRAM checks the server too.
 * E_NOT_FOUND: no mechanism in common. E_DENIED: the server did not prove that it knows the password, or asks for what is not safe to answer. */
MUST_USE err smtp_client_auth(struct smtp_client *c, str user, str password, bool plain_allowed);
MUST_USE err
smtp_client_reset(struct smtp_client *c); /* RSET; also finds out whether an idle connection is still there */

/* One transaction. The message goes as it is stored: lines with CRLF; a bare CR or LF never leaves, but within a BDAT of what came as BINARYMIME. With PIPELINING MAIL, RCPTs and
 * DATA leave in one write, with CHUNKING the message is BDAT in chunks of 1 MiB, which are not waited for. A message without a line end behind its last line gets one with DATA.
 *
 * What the server lacks is mended, or refused before MAIL:
 *	8BITMIME, BINARYMIME	the message is converted (mail/convert.h); E_PERM 5.6.3 when it cannot be: signed parts, octets beyond ASCII in a header
 *	SMTPUTF8	a domain is said as A-labels; else, for a local part, or a header when the message came with SMTPUTF8: E_PERM 5.6.7. It is asked for only when needed
 *	SIZE		too large: E_PERM 5.3.4
 *	REQUIRETLS	E_PERM 5.7.30; but a message of the null sender goes without (RFC 8689 4.4). The TLS and its proof are the caller's to check
 *	DELIVERBY	by_mode BY_RETURN: E_PERM 5.3.3 (not for LMTP), 5.4.7 when its time is over or the server's least is more; BY_NOTIFY: left out
 *	FUTURERELEASE	E_PERM 5.3.3
 *	DSN, MT-PRIORITY	left out: with DSN lacking, who asked for NOTIFY=SUCCESS is told of the relaying by the caller (RFC 3461 5.2.2)
 * A recipient whose address alone is the fault is refused alone. What we refuse has code 0: no server said it. */
struct smtp_send_rcpt {
	str address, orcpt; /* without <> ; decoded, "" none */
	uint64_t notify;
	/* out */
	err result; /* OK taken; E_PERM, E_TEMP with the reply; another error: the connection broke */
	int code;
	str status, reply; /* in the arena */
};
struct smtp_send {
	str sender; /* "" the null path */
	str envid;
	uint64_t ret, flags; /* enum dsn_ret, message_flag */
	int64_t by_seconds;  /* RFC 2852, when by_mode != BY_NONE */
	uint64_t by_mode, priority, hold_seconds;
	str message;
	struct smtp_send_rcpt *rcpts;
	size_t rcpts_n;
	/* Called while the message is written; NULL. */
	void (*progress)(void *ctx, uint64_t sent, uint64_t all);
	void *progress_ctx;
	bool mail_refused; /* out: MAIL was, and what it was told is everybody's result */
};
/* OK: every recipient has its result (also when all were refused). A server that said 421, or refused the message before its end, is not usable any more.
 * E_SYNTAX while the client is usable: what was to be sent is malformed (err_info says what): nothing was said, a fault of the caller's. E_MEMORY: nothing was said.
 * Otherwise the connection broke: recipients that have an answer keep it, all others have the error; whether the message was taken is not known only if `in_doubt` (the end of the
 * message was sent, no answer came). E_CLOSED before anything was heard (code 0 of smtp_client_reply): a kept connection had ended, another one may be tried at once. */
MUST_USE err smtp_client_send(struct smtp_client *c, struct smtp_send *m, struct arena *a, bool *in_doubt);

/* MAIL and RCPT without a message: which recipients would be taken (sendmail -bv, callouts). Results as of smtp_client_send. RSET is said before whatever comes next. */
MUST_USE err smtp_client_verify(struct smtp_client *c, str sender, struct smtp_send_rcpt *rcpts, size_t n,
                                struct arena *a);

/* XFATE, ours, on submission: what became of a message of this login. The server's half is fate.c. EHLO says "XFATE".
 *
 *	XFATE <id> [SEEN=<n>] [WAIT=<seconds>]	waits for a version newer than n, up to 600 seconds
 *	250-VERSION=<n> FINAL=<0 or 1>
 *	250-<state> <address> AT=<time> [DUE=<time>] [STATUS=<x.y.z>] [HOST=<text>] [SECURITY=<text>] [ORIGINAL=<address>] [REPLY=<text>]	one a recipient
 *	250 End
 *	550 5.1.0 no such message of this login; 530 nobody is logged in; 501 malformed
 *
 * id: base/encode.h, id_text. state: queued mailbox relayed delayed failed discarded held. time: RFC 3339. Addresses and texts are xtext (RFC 3461 4), so that each is one
 * word of ASCII; what is "" is left out. The reply has no enhanced status code. Its lines have up to 4096 octets: the server cuts REPLY to 500 octets, HOST and SECURITY to 300,
 * before it encodes them. The order of the words behind the address does not matter, unknown ones are passed over. */
enum { FATE_LINE_MAX = 4096, FATE_LINES_MAX = 20000, FATE_WAIT_MAX = 600 }; /* octets, lines, seconds */
/* Parks up to wait_ms for something newer than `seen`. E_NOT_FOUND: no such message of yours. E_PERM without a reply: the server has no XFATE. Strings are in the arena. */
MUST_USE err smtp_client_fate(struct smtp_client *c, str id, uint64_t seen, uint64_t wait_ms, struct fate_reply *out,
                              struct arena *a);

#endif
