/* SPDX-License-Identifier: ISC */
/* race - a connection to the first of several addresses that answers: each has a head start before the next one is tried too (RFC 8305 5). */
#ifndef RELAY_RACE_H
#define RELAY_RACE_H

#include "conf/config.h"
#include "relay/state.h"

struct race_question {
	struct relay *relay;
	const struct config_route *route; /* NULL: connections come from any address of ours */
	const struct net_address *addresses;
	bool *tried; /* n of them: these are passed over; those that failed and the one that won are noted */
	size_t n;
	bool *busy; /* set when one was passed over because it has enough of our deliverers already; NULL: however many it has */
};
/* What came of it, the caller's. */
struct raced {
	struct stream *stream;
	struct place *place; /* at its host; NULL: none is counted */
	size_t which;
};
void raced_drop(const struct race_question *q, struct raced *r);
/* E_END: all were tried. Otherwise the error of the one that failed last, as of net_connect. */
MUST_USE err race_run(const struct race_question *q, struct raced *out);
/* One address, without a race. */
MUST_USE err race_single(const struct race_question *q, size_t which, struct raced *out);

#endif
