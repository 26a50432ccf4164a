/* SPDX-License-Identifier: ISC */
/* spool - the content of one message while it arrives: in memory up to what travels inside a call, then in a memory
 * file. It counts against the budget that all sessions of the process share. Content that cannot be kept is counted
 * and dropped: the message is read to its end all the same, and refused there.
 */
#ifndef SMTP_SPOOL_H
#define SMTP_SPOOL_H

#include "base/buf.h"
#include "base/err.h"
#include "link/record.h"
#include "smtp/server.h"

struct spool {
	struct body_budget *budget;
	uint64_t limit;   /* octets of a message */
	uint64_t size;    /* octets given, kept or not */
	uint64_t charged; /* to the budget */
	uint64_t in_file;
	err fault;       /* E_LIMIT: larger than `limit`; E_TEMP: no memory. Nothing is kept any more */
	struct buf tail; /* what is not in the file yet */
	int fd;          /* -1 until there is one */
};

/* `expected`: octets announced, 0 unknown. */
struct spool spool_begin(struct body_budget *budget, uint64_t limit, uint64_t expected);
void spool_append(struct spool *s, str bytes);
/* Waits up to `deadline` until the budget has room for `n` more octets, if it has not now. */
void spool_wait_for_room(struct spool *s, uint64_t n, nsec deadline);
/* Nothing will be kept: gives the memory back. */
void spool_drop(struct spool *s);
/* All has been given: the body for a call, valid until spool_end. E_LIMIT (552 5.3.4), E_TEMP (452 4.3.1). */
MUST_USE err spool_finish(struct spool *s, struct body *out);
void spool_end(struct spool *s);

#endif
