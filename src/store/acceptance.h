/* SPDX-License-Identifier: ISC */
/* acceptance - a message becomes ours, in steps, so that another job of the writer can do it in one transaction with changes of its own:
 *
 *	acceptance_begin, acceptance_route      on the loop
 *	acceptance_prepare                      by the job's prepare
 *	acceptance_apply                        by the job's apply
 *	acceptance_committed                    on the loop, after writer_do said OK
 *
 * `request` and what it points to is the caller's and must live until then. A recipient that cannot have it has its reason in `answers`; when none
 * is left (acceptance_kept is false), prepare and apply do nothing and say OK. Both may be called again when a batch is redone.
 */
#ifndef STORE_ACCEPTANCE_H
#define STORE_ACCEPTANCE_H

#include "store/message.h"
#include "store/route.h"
#include "store/state.h"

struct delivery;
/* A message in a mailbox. */
struct item {
	struct mailbox_state *mailbox;
	size_t first, last; /* those that it is for, in the envelope */
	uint64_t size;
	str prefix;
};
struct contact_key;
struct acceptance {
	const struct accept_request *request;
	struct rcpt_answer *answers; /* one for each recipient of the request */
	struct arena *arena;
	/* its own */
	struct delivery *deliveries; /* what the recipients lead to */
	size_t deliveries_n, deliveries_size;
	size_t queueing_n;           /* of them will be in the queue */
	struct contact_key *sent_to; /* of a submission: its recipients, contacts from now on */
	size_t sent_to_n;
	struct delivery **kept; /* those that are in the envelope, in its order */
	size_t kept_n;
	struct envelope envelope;
	struct item *items; /* each mailbox once */
	size_t items_n, queued_n;
	struct queue_times times;
	uint64_t octets; /* headers and body */
	struct location at;
};

/* What a sibling process says is checked like anything else: E_PERM, E_LIMIT, with a reply. */
MUST_USE err acceptance_check(const struct store *s, const struct accept_request *q);
MUST_USE err acceptance_begin(struct acceptance *x, const struct accept_request *q, struct arena *a);
/* `relay`: recipients on other servers are allowed. */
MUST_USE err acceptance_route(struct store *s, struct acceptance *x, bool relay);
MUST_USE err acceptance_prepare(struct writer *w, struct acceptance *x);
MUST_USE err acceptance_apply(struct writer *w, struct acceptance *x);
void acceptance_committed(struct store *s, const struct acceptance *x);

/* All but the first two, as a job of its own. Inside of store_enter. */
MUST_USE err acceptance_run(struct store *s, struct acceptance *x, bool relay);

static inline bool acceptance_kept(const struct acceptance *x)
{
	return x->kept_n > 0;
}

#endif
