/* SPDX-License-Identifier: ISC */
/* oauth - what a client says to log in with a bearer token: OAUTHBEARER (RFC 7628 3.1), and XOAUTH2, its older form at Google and Microsoft. The token
 * itself is not looked into. Pure.
 */
#ifndef SASL_OAUTH_H
#define SASL_OAUTH_H

#include "base/arena.h"
#include "base/err.h"

enum { OAUTH_MESSAGE_MAX = 9216 }; /* octets, not encoded: what a line of SASL_LINE_MAX holds */

struct oauth_message {
	str authorization; /* who it is to be, "" not said */
	str token;         /* a view into the message; "": none, a question for what is needed (RFC 7628 4.3) */
};

/* E_SYNTAX. Decoded names are in `a`. */
MUST_USE err oauth_bearer_parse(str message, struct arena *a, struct oauth_message *out);
MUST_USE err oauth_x_parse(str message, struct oauth_message *out);

/* The challenge that tells the client why (RFC 7628 3.2.2). `issuer`: https://..., where clients find out more; "" not told. */
str oauth_bearer_refusal(str issuer, struct arena *a);
str oauth_x_refusal(void);

#endif
