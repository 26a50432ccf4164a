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
	const char *server;           /* "mail.example.org", with ":465"; "unix:/path" */
	enum submit_tls tls;          /* AUTO: by the port, 465 and unknown ones implicit, 25 and 587 STARTTLS; none over a Unix socket */
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

/* The message's id as the server named it, "" it did not. View of the reply. */
str submit_id(const struct submit *s);

/* The exit status that fits a refusal: RFC 3463's codes in terms of sysexits.h. */
int submit_status(err e, int code, str status);

#endif
