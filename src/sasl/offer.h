/* SPDX-License-Identifier: ISC */
/* offer - which mechanisms a client may use. The same for all protocols. */
#ifndef SASL_OFFER_H
#define SASL_OFFER_H

#include "base/buf.h"
#include "conf/config.h"
#include "rt/stream.h"

/* What is known of the connection. */
struct sasl_offer {
	bool tls, loopback; /* nobody is offered anything who is neither encrypted nor on loopback (RFC 8314 3) */
	bool binding;       /* TLS with a channel binding: the -PLUS mechanisms */
	bool sha1;          /* the configuration allows SCRAM-SHA-1 */
	bool oauth;         /* it says who knows tokens: OAUTHBEARER and XOAUTH2, over TLS alone (RFC 7628 4) */
	bool certificate;   /* the client has shown one */
};

/* That of a stream as it is now: with TLS or without. */
struct sasl_offer sasl_offer_of(const struct stream *s, bool loopback, const struct config *config);

/* Names separated by blanks, the best first: what stands behind "AUTH " in EHLO and "SASL " in CAPA. Nothing: none is offered. */
void sasl_offered(const struct sasl_offer *o, struct buf *out);
MUST_USE bool sasl_is_offered(const struct sasl_offer *o, str mechanism); /* in any case of letters */

#endif
