/* SPDX-License-Identifier: ISC */
/* client_params - MAIL and RCPT as they are said, with the parameters of extensions that the server has. Pure. */
#ifndef SMTP_CLIENT_PARAMS_H
#define SMTP_CLIENT_PARAMS_H

#include "smtp/client_hello.h"
#include "smtp/params.h"
#include "smtp/client.h"

/* How a message is sent. */
struct send_plan {
	const struct hello_offer *offer;
	uint64_t size; /* octets, as SIZE counts them (RFC 1870 4) */
	enum body_kind body;
	bool utf8;        /* MAIL says SMTPUTF8 */
	bool require_tls; /* and REQUIRETLS */
};

/* Is this an address that can be put into a command? With `utf8`, beyond ASCII too. "" is none. Whatever is refused, a command has no line end, no NUL, and no blank in it
 * but those of a quoted local part. E_SYNTAX. */
MUST_USE err client_check_address(str address);
/* Everything of a message's envelope that goes into commands. E_SYNTAX says what is wrong with it. */
MUST_USE err client_check_envelope(const struct smtp_send *m);

/* Append a line with its end. The envelope was checked; addresses are as they are said on the wire. `out` is full: it is too long. */
void client_print_mail(struct buf *out, const struct smtp_send *m, str sender, const struct send_plan *p);
void client_print_rcpt(struct buf *out, const struct smtp_send_rcpt *r, str address, const struct send_plan *p);

#endif
