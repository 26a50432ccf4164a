/* SPDX-License-Identifier: ISC */
/* queue_filter - which recipients in the queue a verb of the command line means, and what is known of each. */
#ifndef STORE_QUEUE_FILTER_H
#define STORE_QUEUE_FILTER_H

#include "store/admin.h"
#include "store/queue_state.h"

/* Where a walk has come to: the last recipient that was looked at. */
struct queue_mark {
	uint64_t message, rcpt;
	bool begun;
};

/* Where the page before ended, as the request says it; and where this one ends, as the next request will. */
struct queue_mark queue_mark_read(const struct admin *x);
void queue_mark_tell(struct admin *x, const struct queue_mark *told);

/* The states that people know. */
enum queue_shown { SHOWN_ANY, SHOWN_WAITING, SHOWN_HELD, SHOWN_FAILING, SHOWN_SENDING, SHOWN_QUARANTINED };

struct queue_filter {
	bool given;                                                  /* anything was said, "all" or more */
	uint64_t id;                                                 /* 0: any */
	const str *sender, *recipient, *domain, *destination, *site; /* NULL: any; in lower case */
	uint64_t age;                                                /* microseconds: at least */
	enum queue_shown shown;
	str reason; /* no filter: what is to be said of it */
	str text[5];
	/* Who is in the hands of `send`, in order; as of when the filter was made. */
	struct queue_row *leased;
	size_t leased_n;
};

/* A recipient in the queue. Views are valid until the next step. */
struct queue_entry {
	uint64_t message, rcpt;
	str destination;
	uint64_t lane, due, expires, attempts, warned;
	str said; /* the reverse-path that is said */
	str reply, address, original;
	uint64_t received, size;
	str sender, login, subject, message_id;
	enum queue_shown shown;
};

/* On the loop: reads the words from the third on. E_SYNTAX. Lives as long as the request and the arena. */
MUST_USE err queue_filter_read(struct admin *x, struct queue_filter *out);

/* In any thread: those that match, in order of messages, from behind `mark` on. */
struct query queue_walk(struct db *db, const struct queue_filter *f, const struct queue_mark *mark);
MUST_USE bool queue_walk_next(struct query *q, const struct queue_filter *f, struct queue_mark *mark,
                              struct queue_entry *out); /* query_end tells what went wrong */

const char *queue_shown_name(enum queue_shown shown);

#endif
