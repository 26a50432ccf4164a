/* SPDX-License-Identifier: ISC */
#include "relay/notice.h"

enum { QUOTE_MAX = 64 << 10, NSEC_PER_USEC = 1000 };

/* --- which are due --- */

/* RFC 3461 5.2.6: of a delay, unless they were not asked for; RFC 2852 4.1.4.2: at the time that the sender named, unless never. */
static bool is_delay_due(const struct notice *n, const struct lease_rcpt *r)
{
	const struct lease_reply *l = n->lease;
	int64_t warn = n->config->queue.warn / NSEC_PER_USEC;
	bool late =
		warn > 0 && n->now >= (int64_t)l->received + warn && (r->notify == 0 || (r->notify & DSN_DELAY) != 0);
	bool named = l->by_mode == BY_NOTIFY && n->now >= (int64_t)l->deliver_by && (r->notify & DSN_NEVER) == 0;

	return r->warned == 0 && (late || named);
}

bool notice_due(const struct notice *n, size_t i, enum report_action *action)
{
	const struct lease_rcpt *r = &n->lease->rcpts[i];

	if (n->lease->sender.n == 0) /* RFC 5321 4.5.5: a report about a report never is */
		return false;
	switch (n->outcomes[i].result) {
	case OUTCOME_RELAYED: /* RFC 3461 5.2.2 */
		*action = n->delivered ? REPORT_DELIVERED : REPORT_RELAYED;
		return !n->handed_on[i] && (r->notify & DSN_SUCCESS) != 0;
	case OUTCOME_FAILED: /* RFC 3461 5.2.4, 4.1: without NOTIFY, too */
		*action = REPORT_FAILED;
		return r->notify == 0 || (r->notify & DSN_FAILURE) != 0;
	case OUTCOME_LATER:
		*action = REPORT_DELAYED;
		return is_delay_due(n, r);
	default:
		return false;
	}
}

/* --- the report --- */

static struct report_rcpt report_rcpt(const struct notice *n, size_t i, enum report_action action)
{
	const struct lease_rcpt *r = &n->lease->rcpts[i];
	const struct outcome *o = &n->outcomes[i];

	return (struct report_rcpt){.address = r->address,
	                            .original = r->original,
	                            .orcpt = r->orcpt,
	                            .action = action,
	                            .status = o->status,
	                            .reply = o->host.n > 0 ? o->reply : STR_NONE,
	                            .explanation = o->host.n > 0 ? STR_NONE : o->reply,
	                            .host = o->host,
	                            .at = n->now,
	                            .retry_until = action == REPORT_DELAYED ? (int64_t)n->lease->expires : 0};
}

static size_t gather(const struct notice *n, struct report_rcpt *out)
{
	enum report_action action;
	size_t count = 0;

	for (size_t i = 0; i < n->lease->rcpts_n; i++)
		if (notice_due(n, i, &action)) {
			out[count++] = report_rcpt(n, i, action);
			n->outcomes[i].warned = action == REPORT_DELAYED;
		}
	return count;
}

bool notice_print(const struct notice *n, str message, struct buf *out)
{
	const struct lease_reply *l = n->lease;
	struct report_rcpt *rcpts = arena_array(n->arena, l->rcpts_n, sizeof(*rcpts));
	size_t count = rcpts == NULL ? 0 : gather(n, rcpts);

	if (count == 0)
		return false;
	report_print(out,
	             &(struct report){
			     .hostname = n->config->hostname,
			     .id = l->report,
			     .to = l->sender,
			     .from = arena_printf(n->arena, "postmaster@" STR_FMT, STR_ARG(n->config->domains[0].name)),
			     .at = n->now,
			     .envid = l->envid,
			     .ret = l->ret,
			     .flags = l->flags,
			     .message_id = l->message,
			     .received = (int64_t)l->received,
			     .message = message,
			     .quote_max = QUOTE_MAX,
			     .rcpts = rcpts,
			     .rcpts_n = count},
	             n->arena);
	return true;
}
