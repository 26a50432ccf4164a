/* SPDX-License-Identifier: ISC */
/* What the files client*.c share: one connection to a server, and how it is talked to. */
#ifndef SMTP_CLIENT_STATE_H
#define SMTP_CLIENT_STATE_H

#include "smtp/client_hello.h"
#include "smtp/client_reply.h"

struct smtp_client {
	struct stream *stream;
	struct arena memory; /* of hello and session */
	str hello, session;
	bool lmtp, local;
	nsec greeting_time, command_time, data_time, end_time;
	nsec until;              /* for all of it; RT_NEVER */
	struct smtp_reply reply; /* the last one */
	struct buf lines;        /* its lines, as of reply_take_line */
	struct hello_offer offer;
	bool greeted;
	bool broken;      /* nothing can be said any more: the connection is gone, or we are out of step */
	bool closing;     /* the server will close (RFC 5321 3.8: 421), or does not want us */
	bool transaction; /* one was begun that has not ended: RSET comes before the next one */
};

/* --- client.c --- */
/* What has `time` is over by then. */
nsec client_deadline(const struct smtp_client *c, nsec time);
/* Before anything is said: is the server still there, and silent? E_CLOSED: it has gone, or is about to. E_SYNTAX: it says something that it was not asked. */
MUST_USE err client_begin(struct smtp_client *c);
/* The same, and no transaction is left open by what was said before. */
MUST_USE err client_begin_idle(struct smtp_client *c);
/* Has the server nothing said that was not read, as far as is known without waiting? */
bool client_is_in_turn(const struct smtp_client *c);
/* The connection is of no use any more; returns `e`. */
err client_fail(struct smtp_client *c, err e);
/* Sends what was put into the stream, and reads a whole reply within `time`. OK whatever it says; else the connection is gone. */
MUST_USE err client_hear(struct smtp_client *c, const struct reply_limits *limits, nsec time);
/* What the reply means when 2xx (or 3xx) is hoped for: OK, E_TEMP, E_PERM, or E_SYNTAX for what fits neither; then we are out of step. */
MUST_USE err client_judge(struct smtp_client *c, int hoped);
/* A command and its reply: both of the above. The line without its end. */
MUST_USE err client_command(struct smtp_client *c, str line, int hoped);
/* EHLO or LHLO, HELO if need be: what the server offers is known then. */
MUST_USE err client_say_hello(struct smtp_client *c);

#endif
