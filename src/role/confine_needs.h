/* SPDX-License-Identifier: ISC */
/* confine_needs - what each role needs beyond memory, a clock and the descriptors that it is handed: one line a role. Landlock and
 * the filter of system calls both follow from it. */
#ifndef ROLE_CONFINE_NEEDS_H
#define ROLE_CONFINE_NEEDS_H

#include "base/buf.h"
#include "base/err.h"

enum confine_need {
	NEED_BASICS = 1,     /* of every role */
	NEED_FILES = 2,      /* those of the data folder */
	NEED_CLIENTS = 4,    /* connections from listening sockets that it is handed */
	NEED_SERVERS = 8,    /* connections to others, by TCP */
	NEED_QUESTIONS = 16, /* datagrams to name servers, or none: which address is ours */
	NEED_THREADS = 32,   /* it starts some later on */
	NEED_PROCESSES = 64, /* of the monitor, which is confined by what nobody ever needs */
};

/* Bits of enum confine_need. False: there is no such role. */
MUST_USE bool confine_needs(const char *role, unsigned *needs);

#define CONFINE_LANDLOCK_TCP 4 /* the version that knows connections */
/* What was given up so far, for `pombo security`. */
struct confined {
	unsigned needs;   /* 0: nothing was */
	int landlock;     /* version, 0 none */
	size_t calls;     /* system calls that are allowed, 0: there is no list */
	const char *root; /* as it was left; NULL: it was not */
};
extern struct confined confined;

/* Landlock (landlock(7)), from now on, for this thread and those it starts: no file but beneath `data` (NEED_FILES), no connections that are not
 * needed. Wants no_new_privs. What the kernel does not have is added to `missing`. */
MUST_USE err confine_files(unsigned needs, const char *data, struct buf *missing);

/* The filter of system calls (seccomp(2)) of confine_calls.h, for all threads. What the kernel does not have is added to `missing`. */
MUST_USE err confine_calls(unsigned needs, struct buf *missing);

/* Adds a name to the list. */
void confine_missing(struct buf *missing, const char *what);

#endif
