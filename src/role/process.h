/* SPDX-License-Identifier: ISC */
/* process - what every role shares: it is told its configuration by the monitor, confines itself, is given links to its siblings and
 * sockets to listen on, and ends when the link to the monitor does (so no role outlives the monitor). Each runs as a
 * process of its own, or, with --single, as a group of coroutines beside the others.
 */
#ifndef ROLE_PROCESS_H
#define ROLE_PROCESS_H

#include "conf/config.h"
#include "link/link.h"
#include "role/tasks.h"

#define PROCESS_NAME_MAX       24
#define PROCESS_STREAM_FD      3
#define PROCESS_DESCRIPTORS_FD 4

struct process;

/* What a role is. Every function may be NULL. */
struct role_type {
	const char *name;
	bool data_folder; /* its root is the data folder; otherwise an empty one */
	bool threads;     /* it starts some */
	bool works;       /* it has those of rt_work, and no more */
	bool reads;       /* it reads text in whatever charset */
	bool trusts;      /* what `certify` brings are files of trust_files.h, not certificates */
	/* After the first configuration, confined. Sets p->state (in p->memory). */
	err (*start)(struct process *p);
	void (*configured)(struct process *p); /* p->config is a new one */
	/* What processes of that role may call here; the ctx of the service is the process. NULL: nothing. */
	const struct link_service *(*service)(struct process *p, str sibling_role);
	void (*attached)(struct process *p, str sibling_role, struct link *l); /* the first time for this sibling */
	/* What TLS is done with, or who is believed, from now on. NULL: no business of this role. */
	err (*certify)(struct process *p, const struct certify_request *q);
	/* Takes over `fd`. -1: no longer listens on this address. */
	err (*listen)(struct process *p, str service, str address, int fd);
	/* Refuses new work, returns when the old is done or it is time. */
	void (*drain)(struct process *p, nsec deadline);
	void (*stop)(struct process *p);  /* ends what it runs itself; links still work */
	void (*close)(struct process *p); /* gives up what p->state holds; no handler runs any more */
};
extern const struct role_type role_edge, role_filter, role_keys, role_oauth, role_resolve, role_send, role_store;
const struct role_type *role_find(const char *name); /* NULL: no such role */

struct sibling;

struct process {
	const struct role_type *type;
	unsigned index;
	char name[PROCESS_NAME_MAX]; /* "edge-0" */
	bool single;                 /* shares its process with the others */
	bool own_root;               /* was started as root: its root folder is its own now */
	struct config *config;       /* NULL before the first configuration */
	struct link *monitor;
	struct link_service control; /* what the monitor calls */
	struct sibling *siblings;
	struct tasks relinking;
	struct co *main;
	bool monitor_gone;
	struct arena memory; /* of the process: given back when it ends */
	void *state;         /* the role's own */
};

/* Runs a role in this coroutine until the monitor closes its link; owns the descriptors. */
MUST_USE err process_run(const struct role_type *type, unsigned index, bool single, int stream_fd, int descriptors_fd);

/* The link to a sibling, attached or not yet. NULL: no memory. */
MUST_USE struct link *process_sibling(struct process *p, str role, unsigned index);

/* The reply to `security`: what this process is able to do, as the kernel tells it. `name`: the process. */
MUST_USE err security_report(const char *name, struct security_reply *reply, struct arena *a);

#endif
