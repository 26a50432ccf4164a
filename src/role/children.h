/* SPDX-License-Identifier: ISC */
/* children - the roles as the monitor sees them: started, told what they need, linked with each other, started again when they die.
 */
#ifndef ROLE_CHILDREN_H
#define ROLE_CHILDREN_H

#include "role/certificates.h"
#include "role/child.h"
#include "role/domain_keys.h"
#include "role/listeners.h"
#include "role/tasks.h"
#include "role/trust_files.h"

struct children {
	struct child *items; /* the store first */
	size_t n;
	struct config *config;                   /* what they are told; the monitor's */
	const struct listeners *listeners;       /* likewise */
	const struct certificates *certificates; /* likewise */
	const struct trust_files *trust;         /* likewise */
	const struct domain_keys *domain_keys;   /* likewise */
	int control_fd;                          /* for the store; -1: not yet */
	bool single;
	struct semaphore changes;                              /* starting and reconfiguring exclude each other */
	struct tasks keepers;                                  /* one for each child */
	struct tasks roles;                                    /* when single */
	struct link_service for_store, for_filter, for_others; /* their ctx is this struct */
	uint64_t grace_ms;                                     /* while stopping */
	void *owner;                                           /* for the handler of `admin` */
	bool missing_told;                                     /* that confinement was not complete */
	struct arena memory;
};

/* Makes the list for this configuration; starts nothing. `admin` serves what the store hands on: its ctx is `all`. */
MUST_USE err children_init(struct children *all, struct config *config, bool single, link_handler admin, void *owner);
MUST_USE err children_start_store(struct children *all);
MUST_USE err children_start_others(struct children *all); /* all but the store */
MUST_USE err children_keep(struct children *all);         /* from now on, whoever dies is started again */
/* Tells everybody all->config, and the edges which sockets came and went. */
MUST_USE err children_reconfigure(struct children *all, const struct listeners *old);
/* Tells those whom it concerns all->certificates and all->domain_keys. keys first: if it cannot use them, nobody is told. */
MUST_USE err children_certify(struct children *all);
/* Tells them more keys of domains, which all->domain_keys has by now: at most CHILDREN_MORE_MAX. */
enum { CHILDREN_MORE_MAX = 100 };
MUST_USE err children_certify_more(struct children *all, const struct domain_key *keys, size_t n);
/* Likewise all->trust. E_SYNTAX: somebody cannot use it, others may have been told. */
MUST_USE err children_trust(struct children *all);
struct link *children_store(const struct children *all);
void children_reap(struct children *all); /* after SIGCHLD */
/* Edges finish what is in the air for up to `grace`, then the sender does in what is left of it, then the others end, the store last. Cut short
 * by children_kill. */
void children_stop(struct children *all, nsec grace);
void children_kill(struct children *all); /* at once */
void children_free(struct children *all); /* kills who is left, and waits for it */

/* One row for each process. */
MUST_USE err children_security(struct children *all, struct admin_reply *reply, struct arena *a);

#endif
