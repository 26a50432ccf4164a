/* SPDX-License-Identifier: ISC */
/* writer - the one thread that changes the store. It takes all jobs that wait, prepares each, writes their records with one write and one
 * fdatasync, applies each inside one transaction, commits, and wakes all callers. While it does, the next batch gathers: no timer.
 *
 * A job's `prepare` checks all that can fail and takes uids and modseqs from memory; `apply` runs its statements. When a statement fails all
 * the same, the transaction is rolled back, the counters are restored, and the jobs are done again one by one. Faults of the disk fail the
 * whole batch: E_FULL (452 4.3.1) or E_TEMP (451 4.3.0), nothing was kept; the server lives on.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "rt/rt.h"
#include "store/counters.h"
#include "store/message.h"
#include "store/segment.h"

struct writer; /* what jobs may use: */
struct db *writer_db(struct writer *w);
struct counters *writer_counters(struct writer *w);

struct writer_settings {
	uint64_t quota;        /* octets of an account that has none of its own; 0 none */
	uint64_t segment_size; /* octets at which the next segment begins */
	uint64_t expire;       /* microseconds that mail for other servers is tried */
};
const struct writer_settings *writer_settings(const struct writer *w); /* the same during a batch */

struct job;
struct job_kind {
	err (*prepare)(struct writer *w, struct job *job); /* NULL: nothing to prepare */
	err (*apply)(struct writer *w, struct job *job);
	bool alone; /* changes accounts or mailboxes: a batch of its own, and what is in memory of them is read again */
	bool apart; /* a batch of its own: what it prepares by is as it will be when it applies */
};
struct job {
	const struct job_kind *kind;
	void *data;
	/* the writer's */
	err result;
	struct err_info info;
	struct rt_loop *loop;
	struct co *co;
	struct job *next;
};

/* By `prepare`: a record of the batch. The body's parts must live until the job is done. E_MEMORY. */
MUST_USE err writer_append(struct writer *w, enum segment_kind kind, str envelope, const str *body, size_t parts,
                           struct location *out);
/* By `prepare`, of an item that this job is going to remove or move. *first false: another job of the batch does, and it will not be there any more. */
MUST_USE err writer_claim(struct writer *w, uint64_t mailbox, uint64_t uid, bool *first);
/* By `apply`: octets of records that nobody shows any more. */
MUST_USE err writer_dead(struct writer *w, uint64_t segment, uint64_t octets);
void writer_live(struct writer *w, uint64_t octets); /* of this batch's records that are shown; apply */

/* `bodies`: the folder's descriptor, the caller's. `next_segment`: number of the next new segment; `current` (may be SEGMENT_NONE; owned) goes on
 * at `end`. */
struct writer_start {
	const char *database;
	int bodies;
	uint64_t next_segment, end;
	struct segment current;
	struct writer_settings settings;
};
MUST_USE err writer_start(const struct writer_start *start, struct writer **out);
void writer_stop(struct writer *w); /* what was asked for is finished first */
void writer_configure(struct writer *w, struct writer_settings settings);
/* Number of the segment that is being written or was last, 0 none: what is below is not written any more, what is above may be. Any thread. */
uint64_t writer_segment(struct writer *w);

/* Parks until it is done. E_TEMP, E_FULL, E_MEMORY and what prepare and apply return, with err_info. */
MUST_USE err writer_do(struct writer *w, struct job *job);

#endif
