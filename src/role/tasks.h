/* SPDX-License-Identifier: ISC */
/* tasks - coroutines that belong together and end together. */
#ifndef ROLE_TASKS_H
#define ROLE_TASKS_H

#include "rt/rt.h"

struct task;

struct tasks { /* all zero: none */
	struct task *first;
	size_t n;
	struct co *awaited_by;
};

/* E_MEMORY: fn will not be called. */
MUST_USE err tasks_start(struct tasks *t, void (*fn)(void *arg), void *arg, const char *name);
/* Until none is left. One coroutine may wait. E_TIMEOUT, E_CANCELLED. */
MUST_USE err tasks_wait(struct tasks *t, nsec deadline);
/* Cancels those whose argument is picked, and does not wait for them. */
void tasks_cancel(struct tasks *t, bool (*pick)(const void *arg));
/* Cancels them, and returns when none is left. */
void tasks_stop(struct tasks *t);

#endif
