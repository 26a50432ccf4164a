/* SPDX-License-Identifier: ISC */
/* What the files of this room share: one session, and how it answers. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "smtp/command.h"
#include "smtp/data.h"
#include "smtp/params.h"
#include "smtp/server.h"
#include "smtp/spool.h"

enum hello { HELLO_NONE, HELLO_PLAIN, HELLO_EXTENDED }; /* none yet, HELO, EHLO or LHLO */
enum { HELO_MAX = 255 };                                /* RFC 5321 4.5.3.1.2: a domain */
enum { LOGIN_MAX = 512 };

struct smtp {
	struct stream *stream;
	const struct smtp_options *options;
	const struct config *config;
	struct buf client; /* host part of the client's address */
	char helo_text[HELO_MAX];
	str helo; /* view of helo_text */
	enum hello hello;
	struct command command; /* the last one; its views last until the next read */
	nsec end;               /* of the session, at the latest */
	uint64_t commands;      /* since a message was accepted, but for those that move mail */
	uint64_t errors, messages;
	uint64_t account; /* that is logged in, 0 none */
	char login_text[LOGIN_MAX];
	str login;    /* its address, of a local program "uid=1000"; view of login_text */
	bool granted; /* the store may know of a login of this session */
	bool closing; /* no further command is read */
	/* The client may still be sending: it is heard out for a moment, or its system throws our last reply away. */
	bool linger;
};

/* A transaction, from MAIL on. */
struct envelope {
	struct arena arena;
	struct mail_params params;
	str sender; /* local@domain, "" the null path */
	struct rcpt *rcpts;
	size_t rcpts_n, rcpts_size;
	int64_t began; /* microseconds: when MAIL was said */
	uint64_t hold_until, deliver_by; /* microseconds, 0 none */
	uint64_t id; /* of the message, once the store was asked for a recipient */
	uint64_t rcpts_over; /* RCPTs beyond the limit */
	bool rcpt_refused;
	bool receiving; /* the two below are in use */
	bool chunked;   /* by BDAT */
	struct spool spool;
	struct data_scan scan;
};

/* --- reply.c --- */
/* One line "code status text". 5xx counts as an error of the client. */
void smtp_reply(struct smtp *s, int code, const char *status, const char *fmt, ...) PRINTF(4, 5);
void smtp_reply_err(struct smtp *s); /* what err_info says; 451 4.3.0 where it names no reply */
/* The answer of another process; 451 4.3.0 where it is no proper refusal. */
void smtp_reply_refusal(struct smtp *s, uint64_t code, str status, str text);
/* A reply, and the end of the session. */
void smtp_close(struct smtp *s, int code, const char *status, const char *text);
/* As smtp_reply_err, for a whole message: LMTP says it once for each recipient (RFC 2033 4.2). */
void smtp_reply_message_err(struct smtp *s, const struct envelope *env);

/* --- session.c --- */
nsec smtp_deadline(const struct smtp *s); /* for the client to say something */
/* The next command that can be understood, in s->command; false: the session ends. */
MUST_USE bool smtp_read_command(struct smtp *s);
/* The same for a RCPT that has arrived already; false when something else is next, or nothing. */
MUST_USE bool smtp_take_buffered_rcpt(struct smtp *s);
/* A read failed (E_TIMEOUT, E_CLOSED ...): a last word where one fits, and the end. Returns `e`. */
err smtp_lost(struct smtp *s, err e);

/* --- common.c: commands that may come at any time --- */
/* True: it was a HELO, EHLO, LHLO or STARTTLS that begins a new state (RFC 5321 4.1.4: a transaction in progress is gone). */
bool smtp_common_command(struct smtp *s);
/* Refuses arguments where there are none: 501. */
MUST_USE bool smtp_no_arguments(struct smtp *s);

/* --- auth.c --- */
void smtp_put_auth(struct smtp *s); /* AUTH's line of the reply to EHLO, when there is something to offer */
void smtp_auth(struct smtp *s);
/* Nothing of a login is left; in the store as soon as it hears of it, with `wait` when this returns. */
void smtp_log_out(struct smtp *s, bool wait);
MUST_USE bool smtp_must_log_in(struct smtp *s); /* true: 530 was said (RFC 6409 4.3) */

/* --- fate.c --- */
void smtp_fate(struct smtp *s); /* XFATE, which client.h describes */

/* --- transaction.c --- */
unsigned smtp_offer(const struct smtp *s); /* bits of enum params_offer */
void smtp_transaction(struct smtp *s); /* from MAIL on */

/* --- recipients.c --- */
void smtp_rcpt(struct smtp *s, struct envelope *env); /* this RCPT and those behind it, asked together */
/* Refuses an address whose parser failed; `status` is what stands for "bad address" here (5.1.3 or 5.1.7). */
void smtp_reply_address_err(struct smtp *s, const char *status);

/* --- receive.c: the content. OK: the transaction goes on. E_END: it is over. Others: the stream failed. --- */
MUST_USE err smtp_data(struct smtp *s, struct envelope *env);
MUST_USE err smtp_bdat(struct smtp *s, struct envelope *env);
MUST_USE err smtp_stray_bdat(struct smtp *s); /* without a transaction: 503, but its octets are no commands */

/* A RCPT that was not said: asked for like those that were. Those that are taken are put behind the *n in `out`, the others are logged. */
MUST_USE err smtp_check_rcpts(struct smtp *s, struct envelope *env, const struct rcpt *rcpts, size_t rcpts_n, struct rcpt *out,
                              size_t *n);

/* --- judged.c: what the filter says of a message --- */
struct judged {
	struct origin origin;
	uint64_t flags;
	struct body body; /* what is to be kept: as it came, or as a milter has made it */
	struct inspect_reply seen;
	str sender; /* likewise; so are the recipients, with what becomes of each */
	struct rcpt *rcpts;
	size_t rcpts_n;
};
/* `origin`, `flags` and `body` are filled. OK: it goes on to the store. Errors are to be told; why the filter refused it is kept. */
MUST_USE err smtp_judge(struct smtp *s, struct envelope *env, struct judged *j);
void smtp_judged_end(struct judged *j);

/* --- deliver.c --- */
void smtp_deliver(struct smtp *s,
                  struct envelope *env); /* the whole message is here: to the filter, to the store, and the reply */
void smtp_reject(struct smtp *s, struct envelope *env); /* or not: err_info says why */
/* Another process's refusal as an error of ours. */
err smtp_refused(struct envelope *env, const struct rcpt_answer *refusal);

#endif
