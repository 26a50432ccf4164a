/* SPDX-License-Identifier: ISC */
#include "relay/outcome.h"

#include "base/date.h"

#define NSEC_PER_USEC 1000

int64_t outcome_due(const struct config_queue *q, uint64_t attempts, int64_t now, uint64_t random)
{
	nsec wait = q->retries == 0 ? 3600 * NSEC_PER_SEC : q->retry[attempts < q->retries ? attempts : q->retries - 1];
	int64_t usec = wait / NSEC_PER_USEC, tenth = usec / 10;

	return now + usec - tenth + (int64_t)(random % (uint64_t)(2 * tenth + 1));
}

struct outcome outcome_heard(uint64_t rcpt, const struct smtp_send_rcpt *r, const struct relay_connection *c,
                             struct arena *a)
{
	return (struct outcome){.rcpt = rcpt,
	                        .result = r->result == OK       ? OUTCOME_RELAYED
	                                  : r->result == E_PERM ? OUTCOME_FAILED
	                                                        : OUTCOME_LATER,
	                        .status = r->status,
	                        .reply = reply_line(a, r->code, r->status, r->reply),
	                        .host = r->code > 0 ? arena_str(a, c->host) : STR_NONE,
	                        .security = arena_str(a, c->security)};
}

struct outcome outcome_of_trouble(uint64_t rcpt, const struct trouble *t)
{
	return (struct outcome){.rcpt = rcpt,
	                        .result = t->code == E_PERM ? OUTCOME_FAILED : OUTCOME_LATER,
	                        .status = t->status,
	                        .reply = t->reply,
	                        .host = t->host,
	                        .security = t->security};
}

struct outcome outcome_failed(uint64_t rcpt, str status, str reply)
{
	return (struct outcome){.rcpt = rcpt, .result = OUTCOME_FAILED, .status = status, .reply = reply};
}
