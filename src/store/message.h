/* SPDX-License-Identifier: ISC */
/* message - the rows of a message and of its items. */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H

#include "store/db.h"
#include "store/envelope.h"

/* Where a record is: octets in a segment. */
struct location {
	uint64_t segment, offset, length;
};

/* `body`: octets of headers and body. `items`: rows of `item` and of `queue`. E_EXISTS: the id was used before. */
MUST_USE err message_insert(struct db *db, const struct envelope *e, const struct location *at, uint64_t body,
                            uint64_t items);

/* An item as `rcpt` of the envelope has it; `octets` as served. */
MUST_USE err item_insert(struct db *db, const struct envelope *e, const struct envelope_rcpt *rcpt, str prefix,
                         uint64_t octets);

/* Recipient `rcpt` of the envelope, who is on another server: due and expiring as the envelope and `expire` (microseconds after it came, or after
 * it may leave) say. */
struct queue_times {
	uint64_t due, expires;
	uint64_t
		lane; /* below QUEUE_LANES; senders of a destination take turns by it (schedule.h): logins, else domains of reverse-paths */
};
enum { QUEUE_LANES = 64 };
struct queue_times queue_times_of(const struct envelope *e, uint64_t expire);
MUST_USE err queue_insert(struct db *db, const struct envelope *e, size_t rcpt, const struct queue_times *times);

/* `n` rows of `item` or `queue` less show the message. The last of them: its record is dead. */
struct writer;
MUST_USE err message_release(struct writer *w, uint64_t message, uint64_t n);

#endif
