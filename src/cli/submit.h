/* SPDX-License-Identifier: ISC */
/* submit - the mail client's way to its server: find it, connect, prove who both are, hand over a message. What `pombo send` and `sendmail` share. */
#ifndef CLI_SUBMIT_H
#define CLI_SUBMIT_H

#include "cli/command.h"
#include "smtp/client.h"

#define SUBMIT_SOCKET "unix:/run/pombo/submit"

enum submit_tls { SUBMIT_TLS_AUTO, SUBMIT_TLS_IMPLICIT, SUBMIT_TLS_STARTTLS, SUBMIT_TLS_NONE };

/* How the server is reached; NULL or 0: not said. */
struct submit_server {
	const char *server; /* "mail.example.org", with ":465"; "unix:/path" */
	enum submit_tls
		tls; /* AUTO: by the port, 465 and unknown ones implicit, 25 and 587 STARTTLS; none over a Unix socket */
	const char *user;             /* NULL: without AUTH */
	const char *password_command; /* its first line of output; NULL: the terminal is asked */
	const char *authorities;      /* file in PEM */
	const char *resolver;         /* "127.0.0.1:53": who is asked for SRV records; NULL: as the system does */
	nsec timeout;                 /* of each step; 0: as RFC 5321 says */
};

/* Finds the server of an address when none was said: the local socket where there is one, else SRV records of the address's domain (RFC 6186, 8314). The
 * connection is authenticated and ready for a transaction. Needs a running loop. E_NOT_FOUND: no server is known; E_DENIED: certificate or password; others as in
 * smtp/client.h. */
struct submit {
	struct smtp_client *client;
	struct tls_client *tls;
	struct tls_proof proof; /* version "": no TLS */
	str server;             /* as people call it; in `arena` */
	struct arena arena;
};
MUST_USE err submit_connect(const struct submit_server *how, str address, struct submit *out);
void submit_close(struct submit *s);

/* A message in as many transactions as its recipients need, one after the other:
 *
 *	struct submit_part part = {0};
 *	while (submit_next(s, &message, &part))
 *		e = submit_part(s, &part, a, &in_doubt);
 *
 * At most 100 at once, which every server takes (RFC 5321 4.5.3.1.8). Those that one which takes fewer put off (4.5.3.1.10: 452) go with the next. */
struct submit_part {
	struct smtp_send send; /* of the message's recipients those that this is about */
	size_t from;           /* the first of them */
};
/* False: all have had theirs, and send.rcpts_n is 0; or the connection is over, and those that are left have that as their result (E_TEMP). */
MUST_USE bool submit_next(const struct submit *s, const struct smtp_send *message, struct submit_part *part);
/* As smtp_client_send. When it is OK, send.rcpts_n is less by those that go with the next. */
MUST_USE err submit_part(struct submit *s, struct submit_part *part, struct arena *a, bool *in_doubt);

/* The message's id as the server named it, "" it did not. View of the reply. */
str submit_id(const struct submit *s);

/* The exit status that fits a refusal: RFC 3463's codes in terms of sysexits.h. */
int submit_status(err e, int code, str status);

#endif
