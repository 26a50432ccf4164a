/* SPDX-License-Identifier: ISC */
/* child - one role as the monitor sees it.
 *
 * A child that died is started again after 50 ms, twice as long each time up to 10 s; after 30 s of life it begins anew.
 */
#ifndef ROLE_CHILD_H
#define ROLE_CHILD_H

#include <sys/types.h>

#include "link/link.h"
#include "role/process.h"

#define CHILD_CALL_TIME   (10 * NSEC_PER_SEC)
#define CHILD_PAUSE_FIRST (50 * NSEC_PER_MSEC)

struct children;

struct child {
	struct children *all;
	const struct role_type *type;
	unsigned index;
	char name[PROCESS_NAME_MAX];
	struct link *link; /* to it */
	pid_t pid;         /* 0: none, also when single */
	bool alive;        /* the process, or its coroutines */
	bool linked;       /* to us; ends before or after the process does */
	bool up;           /* configured: others may be linked to it */
	int status;        /* of wait(2), of its last life */
	nsec started;
	nsec pause;            /* before the next start */
	struct co *awaited_by; /* its end */
};

/* Starts it, tells it the configuration, links it with those that are up, and hands it its sockets. When that fails it is ended again. */
MUST_USE err child_start(struct child *c);
MUST_USE err child_configure(struct child *c, bool first);
MUST_USE err child_certify(struct child *c);                                                  /* if it concerns it */
/* Told beside those that it was told: new keys of domains, if they concern it, as many as fit into one call. */
MUST_USE err child_certify_more(struct child *c, const struct domain_key *keys, size_t n);
MUST_USE err child_listen(struct child *c, const char *service, const char *address, int fd); /* fd -1: no longer */
MUST_USE err child_listen_all(struct child *c);
/* Between it and a sibling, by its name. E_TEMP: one of them is not there. */
MUST_USE err child_relink(struct child *c, str sibling);
void child_keep(void *arg);      /* a coroutine: whenever it ends it is started again */
void child_end(struct child *c); /* closes its link, which tells it to end; kills it when it takes too long */
void child_signal(struct child *c, int signal);
void child_changed(struct child *c); /* its link or its process ended */

#endif
