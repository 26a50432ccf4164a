/* SPDX-License-Identifier: ISC */
/* The PLAIN mechanism (RFC 4616): one message from the client. */
#ifndef SASL_PLAIN_H
#define SASL_PLAIN_H

#include "base/buf.h"
#include "base/err.h"

#define PLAIN_MAX 1100 /* octets of a message: three parts of up to 255 and PASSWORD_MAX, and some more */

struct plain {
	str authorization; /* who to act as; "" the same as `user` */
	str user, password;
};

/* Cuts a message into its parts, which are views into it. E_SYNTAX: not three parts with a user and a password. */
MUST_USE err plain_parse(str message, struct plain *out);
/* The message of a user and a password, for protocols that have them apart. E_SYNTAX: a part holds a NUL. E_LIMIT. */
MUST_USE err plain_compose(str user, str password, struct buf *out);

#endif
