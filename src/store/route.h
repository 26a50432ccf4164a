/* SPDX-License-Identifier: ISC */
/* route - where mail for an address goes: accounts, aliases, plus addressing, catch-all, postmaster; other servers. */
#ifndef STORE_ROUTE_H
#define STORE_ROUTE_H

#include "base/arena.h"
#include "conf/config.h"
#include "store/db.h"

enum { ROUTE_DEPTH_MAX = 10, ROUTE_TARGETS_MAX = 1000, ROUTE_STEPS_MAX = 5000 };

/* The target of an alias whose mail nobody wants. */
#define ROUTE_NOWHERE "/dev/null"

/* Who asks. Any thread that may use `db`. */
struct router {
	struct db *db;
	const struct config *config;
	str secret; /* of the store: for the senders of what is forwarded (mail/srs.h) */
	str sender; /* reverse-path of the message, "" the null sender */
	bool relay; /* mail for other servers is taken; what aliases of ours lead to always is */
};

/* A mailbox here, a recipient on another server (mailbox 0), or nobody at all. */
struct route_target {
	uint64_t account, mailbox; /* mailbox: its INBOX */
	uint64_t octets, quota;    /* held by the account; its own quota, 0 none */
	bool nowhere;              /* an alias to ROUTE_NOWHERE, `address`: it is discarded */
	bool forwards;             /* its user has a .forward */
	bool forwarded;            /* on another server that is none of ours, by an alias or a .forward of ours */
	str address;               /* the account's; on another server: as it is to be said, its domain as A-label */
	str destination;           /* on another server: conf/relay.h */
	str sender; /* and the reverse-path that is to be said: one of ours when the message is forwarded */
};
struct route {
	struct route_target *targets; /* each account and each address once */
	size_t n, size;
	bool inner; /* the domain asked for is relayed to a server of ours, and nothing here has that name */
};

/* All or nothing: an alias with one target that cannot get mail is refused (a .forward that leads to such a one leaves the mail in the mailbox). Sets what
 * the client is told: 550 5.1.1 unknown, 5.2.1 disabled, 5.7.1 not ours, or a return path that we did not make, 5.4.6 aliases in a circle or too
 * deep; 452 4.5.3 too many targets, or ways to them; 451 4.3.0 and for a postmaster
 * without any account. */
MUST_USE err route_address(const struct router *r, str address, struct arena *a, struct route *out);

/* 452 4.2.2 when a target here cannot hold `size` octets more (0: unknown). */
MUST_USE err route_quota(const struct route *r, const struct config *config, uint64_t size);
bool quota_exceeded(uint64_t quota, uint64_t octets, uint64_t size);
err quota_refuse(void); /* sets 452 4.2.2 */

/* Octets of the local part in front of the first of `separators`; all when there is none. */
size_t route_base(str local, str separators);
/* One account, without aliases. E_NOT_FOUND is not noted. */
MUST_USE err route_account(struct db *db, str local, str domain, struct route_target *out, bool *disabled);

#endif
