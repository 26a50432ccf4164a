/* SPDX-License-Identifier: ISC */
/* rebuild - a new database from the segments alone, when it is lost: mailboxes, messages with their uids, the ledger of deliveries, and
 * accounts, which take mail again but have no password yet. What only the database knew is gone: passwords, aliases, quotas, flags, and what became of
 * mail for other servers: it is queued again, and held.
 */
#ifndef STORE_REBUILD_H
#define STORE_REBUILD_H

#include "base/err.h"
#include "base/str.h"

struct rebuild_result {
	uint64_t segments, messages, items, accounts;
	uint64_t held;    /* recipients on other servers: what became of them is not known, an administrator decides */
	uint64_t damaged; /* octets of segments that are no whole record, and were passed over */
};
/* Blocking. E_BUSY: a server has the store open; E_EXISTS: there is a database, it is to be moved away first; E_IO, E_FULL. */
MUST_USE err rebuild_run(const char *data, struct rebuild_result *out);

#endif
