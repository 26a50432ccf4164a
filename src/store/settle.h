/* SPDX-License-Identifier: ISC */
/* settle - a settlement on its way: settle.c is its half on the loop, settle_write.c the writer's. */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "store/acceptance.h"
#include "store/queue_state.h"

/* What becomes of a row. */
struct verdict {
	uint64_t rcpt;
	enum outcome_result result;
	bool there; /* its row; it is passed over without one: it was settled before, or the administrator has dropped it */
	uint64_t due, state, warned, lane;
	str destination;
	str status, reply, host, security;
};

/* The report, on its way to the sender. */
struct report_acceptance {
	bool wanted;
	struct accept_request request;
	struct origin origin;
	struct rcpt rcpt;
	struct acceptance acceptance;
	str nowhere; /* why it cannot be delivered, "" it can */
};

struct settling {
	struct store *store;
	const struct settle_request *request;
	struct lease *lease; /* NULL: of a store before this one */
	uint64_t message, now;
	struct verdict *verdicts;
	size_t n, left; /* left: that have a row */
	struct report_acceptance report;
	struct arena *arena;
};

/* What the administrator said of it meanwhile stays: held, to be failed. */
static inline uint64_t settle_due(const struct verdict *v)
{
	if (v->state == QUEUE_FAIL)
		return QUEUE_DUE_FAIL;
	return v->state == QUEUE_HELD ? v->due + QUEUE_DUE_HELD : v->due;
}

static inline bool settle_has_report(const struct settling *x)
{
	return x->report.wanted && x->report.nowhere.n == 0 && x->left > 0;
}

/* The report cannot be delivered; it is no reason to keep the message in the queue for ever. `why`: to be told of it. */
void settle_report_lost(struct settling *x, str why);
str settle_report_refusal(const struct settling *x); /* what its acceptance says */

MUST_USE err settle_prepare(struct writer *w, struct job *job);
MUST_USE err settle_apply(struct writer *w, struct job *job);

#endif
