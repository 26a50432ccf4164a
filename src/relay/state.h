/* SPDX-License-Identifier: ISC */
/* state - the relay of one process, as the files of this room see it. */
#ifndef RELAY_STATE_H
#define RELAY_STATE_H

#include "filter/keyring.h"
#include "relay/callout.h"
#include "relay/dmarc_reporting.h"
#include "relay/places.h"
#include "relay/relay.h"
#include "relay/sts.h"
#include "relay/tls_reporting.h"
#include "relay/trust.h"

struct deliverer;

/* Opens a connection to `to` from `source` (n 0: any). net_connect, unless a test has something else. */
typedef err (*relay_dial)(void *ctx, const struct net_address *to, const struct net_address *source,
                          struct stream **out, nsec deadline);
typedef err (*relay_source)(const struct net_address *to, struct net_address *out);                  /* net_source */
typedef err (*relay_fetch)(const struct http_request *q, str *body, struct arena *a, nsec deadline); /* http_fetch */

struct relay {
	struct config *config;
	struct link *store;
	struct resolver resolver;
	struct trust *trust;
	struct sts_cache sts;
	struct callouts callouts;
	struct tls_reporting *reporting;
	struct dmarc_reporting *dmarc_reporting;
	struct keyring *keyring; /* NULL: nothing is signed */
	struct places places;
	struct deliverer *first;
	size_t deliverers, idle; /* idle: of them, those that wait for any lease */
	struct co *awaited_by;   /* who waits for deliverers to end */
	uint64_t next_session;
	bool draining;
	relay_dial dial;
	void *dial_ctx;
	relay_source source;
	bool (*is_local)(const struct net_address *a); /* net_is_local */
	relay_fetch fetch;
};

#endif
