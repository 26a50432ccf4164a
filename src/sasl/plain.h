/* SPDX-License-Identifier: ISC */
/* The PLAIN mechanism (RFC 4616): one message from the client. */
#ifndef SASL_PLAIN_H
#define SASL_PLAIN_H

#include "base/buf.h"
#include "base/err.h"

#define PLAIN_MAX      1100 /* octets of a message: three parts of up to 255 and PASSWORD_MAX, and some more */
#define PLAIN_LINE_MAX 2048 /* octets of the line that brings it in base64 */

struct plain {
	str authorization; /* who to act as; "" the same as `user` */
	str user, password;
};

/* Decodes base64 into `message`, which should hold PLAIN_MAX, and cuts it into the parts; these are views into it.
 * E_SYNTAX: no base64, or not three parts with a user and a password. */
MUST_USE err plain_decode(str base64, struct buf *message, struct plain *out);

#endif
