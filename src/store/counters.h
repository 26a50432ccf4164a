/* SPDX-License-Identifier: ISC */
/* counters - what the writer keeps in memory of mailboxes: uidnext, modseq, messages and octets, so that a message needs no
 * query for them and a batch one UPDATE a mailbox. A change is provisional until counters_commit; counters_restore takes it back.
 * Used by the writer's thread alone.
 */
#ifndef STORE_COUNTERS_H
#define STORE_COUNTERS_H

#include "base/map.h"
#include "store/db.h"

struct account_state {
	uint64_t id, quota;         /* quota: its own, 0 the configuration's */
	uint64_t octets, committed; /* in all of its mailboxes */
};

struct mailbox_counts {
	uint64_t uidnext, modseq, messages, octets;
};

struct mailbox_state {
	uint64_t id, uidvalidity;
	struct account_state *account;
	struct mailbox_counts now, committed;
	struct mailbox_state *next_changed;
	bool changed;
	void *mark; /* a job's, while it prepares; else NULL */
	str name;   /* behind this struct */
};

struct counters {
	struct map mailboxes, accounts;
	struct mailbox_state *changed;
};

void counters_init(struct counters *c);
void counters_free(struct counters *c);

/* E_NOT_FOUND: there is no such mailbox. The state is valid until counters_forget. */
MUST_USE err counters_mailbox(struct counters *c, struct db *db, uint64_t id, struct mailbox_state **out);
void counters_add(struct counters *c, struct mailbox_state *m,
                  uint64_t octets); /* one message more; takes a uid and a modseq */
void counters_remove(struct counters *c, struct mailbox_state *m,
                     uint64_t octets);                                 /* one less; modseq is the caller's */
uint64_t counters_modseq(struct counters *c, struct mailbox_state *m); /* takes the next */

MUST_USE err counters_write(struct counters *c, struct db *db); /* what changed, inside the transaction */
void counters_commit(struct counters *c);
void counters_restore(struct counters *c);
void counters_forget(
	struct counters *c); /* accounts or mailboxes were changed behind its back; nothing may be provisional */

#endif
