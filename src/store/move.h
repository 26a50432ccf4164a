/* SPDX-License-Identifier: ISC */
/* move - messages go from a mailbox to another one of the same account (RFC 6851, RFC 9051 6.4.8), and what that says about them is learned.
 *
 * A message that moved has a new uid; its flags, keywords, internal date and size stay, and so does the quota. Both sides are in the change log. In the ledger
 * the credit stays what it is, "in a mailbox", and says where that is now. A record in the segment tells a rebuild.
 *
 * Out of Junk, or into it, is a lesson for the account and for all (store/lesson.h), unless Trash is the other side, or `spam learn-moves no`: rows of the
 * same transaction. It is the opposite of what the last move taught of the same message, so moving it back takes that back.
 *
 * A POP3 session that has the mailbox open keeps its numbers and sizes: what was moved away is, to its RETR and DELE, as though somebody had expunged it.
 */
#ifndef STORE_MOVE_H
#define STORE_MOVE_H

#include "store/state.h"

enum { MOVE_MAX = 1000 }; /* messages at once */
enum move_lesson { MOVE_TEACHES_NOTHING, MOVE_TEACHES_SPAM, MOVE_TEACHES_WANTED };

struct moved_message {
	uint64_t from_uid, uid, message;
	bool learned;
};

struct move {
	uint64_t account, from, to; /* to: may be `from`, for what that is worth: a new uid */
	const uint64_t *uids;       /* in any order */
	size_t n;
	str by; /* who does it, for the story of the message: "alice@example.org" */
	/* after OK; in the arena */
	struct moved_message *moved; /* in the order of both uids. What was not there is passed over */
	size_t moved_n;
	uint64_t uidvalidity; /* of `to` */
	enum move_lesson lesson;
};

/* Parks; inside of store_enter. After OK all of them are moved and on stable storage, else none. E_NOT_FOUND: the account has no such mailbox; E_LIMIT: more than
 * MOVE_MAX; E_TEMP, E_FULL, E_MEMORY. */
MUST_USE err store_move(struct store *s, struct move *m, struct arena *a);

#endif
