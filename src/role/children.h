/* SPDX-License-Identifier: ISC */
/* children - the roles as the monitor sees them: started, told what they need, linked with each other, started again when they die.
 *
 * A child that died is started again after 50 ms, twice as long each time up to 10 s; after 30 s of life it begins anew.
 */
#ifndef ROLE_CHILDREN_H
#define ROLE_CHILDREN_H

#include <sys/types.h>

#include "link/link.h"
#include "role/listeners.h"
#include "role/process.h"
#include "role/tasks.h"

struct children;

struct child {
	struct children *all;
	const struct role_type *type;
	unsigned index;
	char name[PROCESS_NAME_MAX];
	struct link *link;   /* to it */
	pid_t pid;           /* 0: none, also when single */
	bool alive;          /* the process, or its coroutines */
	bool linked;         /* to us; ends before or after the process does */
	bool up;             /* configured: others may be linked to it */
	int status;          /* of wait(2), of its last life */
	nsec started;
	nsec pause;          /* before the next start */
	struct co *awaited_by; /* its end */
};

struct children {
	struct child *items; /* the store first */
	size_t n;
	struct config *config;             /* what they are told; the monitor's */
	const struct listeners *listeners; /* likewise */
	int control_fd;                    /* for the store; -1: not yet */
	bool single;
	struct semaphore changes; /* starting and reconfiguring exclude each other */
	struct tasks keepers;     /* one for each child */
	struct tasks roles;       /* when single */
	struct link_service for_store, for_others; /* their ctx is this struct */
	uint64_t grace_ms;        /* while stopping */
	void *owner;              /* for the handler of `admin` */
	bool missing_told;        /* that confinement was not complete */
	struct arena memory;
};

/* Makes the list for this configuration; starts nothing. `admin` serves what the store hands on: its ctx is `all`. */
MUST_USE err children_init(struct children *all, struct config *config, bool single, link_handler admin, void *owner);
MUST_USE err children_start_store(struct children *all);
MUST_USE err children_start_others(struct children *all);   /* all but the store */
MUST_USE err children_keep(struct children *all);           /* from now on, whoever dies is started again */
/* Tells everybody all->config, and the edges which sockets came and went. */
MUST_USE err children_reconfigure(struct children *all, const struct listeners *old);
void children_reap(struct children *all); /* after SIGCHLD */
/* Edges finish what is in the air for up to `grace`, then the others end, the store last. Cut short by children_kill. */
void children_stop(struct children *all, nsec grace);
void children_kill(struct children *all); /* at once */
void children_free(struct children *all); /* kills who is left, and waits for it */

/* One row for each process. */
MUST_USE err children_security(struct children *all, struct admin_reply *reply, struct arena *a);

#endif
