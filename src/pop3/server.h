/* SPDX-License-Identifier: ISC */
/* POP3 (RFC 1939, 2449, 6856), the server's side: one function is one session. */
#ifndef POP3_SERVER_H
#define POP3_SERVER_H

#include "conf/config.h"
#include "link/link.h"
#include "rt/stream.h"

struct pop3_options {
	const struct config *config;
	struct peers *peers;
	struct net_address client;
	str session;
	const bool *stopping;
};
void pop3_serve(struct stream *s, const struct pop3_options *options);

#endif
