/* SPDX-License-Identifier: ISC */
/* ledger - double entry: what was accepted, and what became of it. */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "store/envelope.h"
#include "store/schema.h"

/* Both sides of recipient `rcpt` of a message that went to a mailbox. E_EXISTS: it was entered before. */
MUST_USE err ledger_deliver(struct db *db, const struct envelope *e, size_t rcpt);
/* The credit alone, of one that was held back until `at`; `to`: its mailbox and uid. */
MUST_USE err ledger_mailbox(struct db *db, uint64_t message, uint64_t rcpt, uint64_t at,
                            const struct envelope_rcpt *to);
/* The credits that say `from` say `to` instead: the message was moved to another mailbox here. `detail` tells who did it, "" nobody. */
struct item_place {
	uint64_t mailbox, uid;
};
MUST_USE err ledger_move(struct db *db, uint64_t message, struct item_place from, struct item_place to, str detail);
/* The debit alone, of one that is queued. */
MUST_USE err ledger_accept(struct db *db, const struct envelope *e, size_t rcpt);

/* What became of a recipient that was queued. E_EXISTS: it has its credit. */
struct ledger_credit {
	uint64_t message, rcpt, at; /* at: microseconds */
	enum ledger_kind kind;
	str status, reply, host, security; /* as in the record `outcome` */
};
MUST_USE err ledger_credit(struct db *db, const struct ledger_credit *c);

struct balance {
	uint64_t accepted;
	uint64_t queued; /* debits without credit that are in the queue */
	uint64_t lost;
	uint64_t credits[LEDGER_KINDS]; /* by kind; [LEDGER_ACCEPTED] is not used */
};
/* Counts recipients accepted at `since` (microseconds) or later. */
MUST_USE err ledger_balance(struct db *db, uint64_t since, struct balance *out);

#endif
