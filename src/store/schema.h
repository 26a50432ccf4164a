/* SPDX-License-Identifier: ISC */
/* What schema.sql says, for C. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/db.h"

enum ledger_side { LEDGER_DEBIT, LEDGER_CREDIT };
enum ledger_kind { LEDGER_ACCEPTED, LEDGER_MAILBOX, LEDGER_RELAYED, LEDGER_BOUNCED, LEDGER_DISCARDED, LEDGER_KINDS };
const char *ledger_kind_name(uint64_t kind);
enum change { CHANGE_ADDED, CHANGE_EXPUNGED };
MUST_USE err change_add(struct db *db, uint64_t mailbox, uint64_t modseq, uint64_t uid, enum change what);

/* A new mailbox of the account, in the writer. Its id, the next one's and the clock see to it that no later one of the same name has the same UIDVALIDITY
 * (RFC 3501 2.3.1.1). */
MUST_USE err mailbox_add(struct db *db, uint64_t account, str name, uint64_t now);

/* Makes the tables when there are none. E_PERM: they are of a newer version. */
MUST_USE err schema_apply(struct db *db);

MUST_USE err meta_get(struct db *db, const char *key, uint64_t *value);
MUST_USE err meta_set(struct db *db, const char *key, uint64_t value);
MUST_USE err meta_take(struct db *db, const char *key,
                       uint64_t *value); /* the value, and one more is kept for the next */

#endif
