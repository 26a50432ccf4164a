/* SPDX-License-Identifier: ISC */
/* relay - mail leaves. A deliverer is a coroutine that leases a message for one destination, finds hosts, connects as their policies ask, speaks, settles each
 * recipient, and goes on with the next message for the same destination while its connection is open.
 *
 *	deliverer.c   lease, deliver, settle; the connection it keeps
 *	hosts.c       from a destination to hosts and addresses: MX, address records, literals, loops
 *	policy.c      what a host's connection must prove: DANE, MTA-STS, the route
 *	connect.c     TCP to one of the addresses, greeting, TLS, AUTH
 *	outcome.c     from replies to outcomes: done, failed, later and when
 *	notice.c      which reports are due, and their text
 *	settlement.c  telling the store, until it knows
 *	callout.c     asking inner servers for recipients
 *	tls_reporting.c   how TLS with others went, told to those who ask for it
 *	dmarc_reporting.c   who sent mail in their name, told to domains that ask for it
 *	own_mail.c    these reports as mail, signed
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "conf/relay.h"
#include "dns/dns.h"
#include "rt/tls_client.h"

struct relay; /* of one process */

struct relay_options {
	struct config *config;
	struct link *store;
	struct resolver resolver;
	struct link *keys; /* who signs; NULL: mail of our own is not signed */
};
MUST_USE err relay_new(const struct relay_options *o, struct relay **out);
void relay_configure(struct relay *r, struct config *config);
/* Authorities and passwords of routes. E_SYNTAX: unusable, everything stays as it was. */
MUST_USE err relay_certify(struct relay *r, const struct certify_request *q);
MUST_USE err relay_start(struct relay *r); /* the deliverers */
void relay_drain(struct relay *r,
                 nsec deadline);  /* no new leases; returns when what is in the air is settled, or it is time */
void relay_stop(struct relay *r); /* ends the deliverers: what they held returns to the queue */
void relay_free(struct relay *r);

MUST_USE err relay_callout(struct relay *r, const struct callout_request *q, struct callout_reply *reply,
                           struct arena *a);

#endif
