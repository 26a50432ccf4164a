/* SPDX-License-Identifier: ISC */
/* route - where mail for an address goes: accounts, aliases, plus addressing, catch-all, postmaster. */
#ifndef STORE_ROUTE_H
#define STORE_ROUTE_H

#include "base/arena.h"
#include "conf/config.h"
#include "store/db.h"

enum { ROUTE_DEPTH_MAX = 10, ROUTE_TARGETS_MAX = 1000 };

struct route_target {
	uint64_t account, mailbox; /* mailbox: its INBOX */
	uint64_t octets, quota;    /* held by the account; its own quota, 0 none */
	str address;               /* the account's */
};
struct route {
	struct route_target *targets; /* each account once */
	size_t n, size;
};

/* All or nothing: an alias with one target that cannot get mail is refused. Sets what the client is told: 550 5.1.1 unknown, 5.2.1 disabled, 5.7.1
 * not ours, 5.4.6 aliases in a circle or too deep; 452 4.5.3 too many targets; 451 4.3.0 and for a postmaster without any account. */
MUST_USE err route_address(struct db *db, const struct config *config, str address, struct arena *a, struct route *out);

/* 452 4.2.2 when a target cannot hold `size` octets more (0: unknown). */
MUST_USE err route_quota(const struct route *r, const struct config *config, uint64_t size);
bool quota_exceeded(uint64_t quota, uint64_t octets, uint64_t size);
err quota_refuse(void); /* sets 452 4.2.2 */

/* Octets of the local part in front of the first of `separators`; all when there is none. */
size_t route_base(str local, str separators);
/* One account, without aliases. E_NOT_FOUND is not noted. */
MUST_USE err route_account(struct db *db, str local, str domain, struct route_target *out, bool *disabled);

#endif
