/* SPDX-License-Identifier: ISC */
/* exchange - the half of a SASL exchange that faces the client, for every protocol: base64, cancelling, and the
 * calls to keys. */
#ifndef SASL_EXCHANGE_H
#define SASL_EXCHANGE_H

#include "link/link.h"

#define SASL_LINE_MAX 12288 /* octets of a client's response in base64, without line end (RFC 4954 4) */

struct sasl_exchange {
	struct link *keys;
	str session, client, service; /* client: host part of the address, "unix" */
	bool tls;                     /* from sasl_exchange_bind, as the next three */
	struct auth_binding *bindings;
	size_t bindings_n;
	str certificate;
	void *ctx;
	/* Sends the challenge, which is in base64 and may be empty, and reads the client's line, without its line end, up to SASL_LINE_MAX. An error
	 * ends the exchange and is returned as it is: the protocol knows best what it means. */
	err (*ask)(void *ctx, str challenge, str *line);
};

/* Sets `tls`, `bindings` and `certificate` to what the stream's connection can prove: nothing without TLS, and bindings only for mechanisms that have
 * a use for them. In `a`. */
void sasl_exchange_bind(struct sasl_exchange *x, const struct stream *s, str mechanism, struct arena *a);

/* OK: logged in, the session may use reply->account. `initial` is the initial response as it stood in the command
 * (STR_NONE: none, "=": an empty one). Other errors than `ask`'s, with reply and status to tell the client: those of
 * the call `auth` (link/messages.h), and E_SYNTAX with 501 5.5.2 for what is not base64, 501 5.7.0 for "*". */
MUST_USE err sasl_exchange(const struct sasl_exchange *x, str mechanism, str initial, struct auth_reply *reply,
                           struct arena *a);

#endif
