/* SPDX-License-Identifier: ISC */
/* forwards - users' ~/.forward files, as the monitor watches them: which accounts there are it hears from the store, what the files say from a process
 * for that (forward_reader.h), and tells the store what changed.
 *
 * A user whose home folder does not answer is passed over for ten minutes; until then what was known counts.
 */
#ifndef ROLE_FORWARDS_H
#define ROLE_FORWARDS_H

#include "base/map.h"
#include "mail/forward.h"
#include "role/children.h"

struct forwards {
	const struct children *children;
	struct map known; /* by name: struct forward_known */
	str domain;       /* they are of this one */
	struct arena memory;
	struct semaphore wanted; /* sooner than in ten seconds */
};

void forwards_init(struct forwards *f, const struct children *children);
void forwards_run(void *forwards);          /* a coroutine: every ten seconds, until it is cancelled */
void forwards_look_now(struct forwards *f); /* after a reload */
void forwards_free(struct forwards *f);

/* One user's lines of the process that reads. */
struct forward_answer {
	str user;
	uint64_t stamp;
	struct forward forward;
};
/* E_END: nothing more. E_SYNTAX: the process ended (`user` says at whom, "" nobody), or its lines are not such. E_MEMORY. */
MUST_USE err forward_answer_take(struct cursor *c, struct arena *a, struct forward_answer *out);

#endif
