/* SPDX-License-Identifier: ISC */
/* confine_calls - which system calls a process may make: sets of them, each named by its purpose. What stands in no set is refused with ENOSYS, as
 * by an older kernel: who calls it, often a library of the next decade, has to do without.
 */
#ifndef ROLE_CONFINE_CALLS_H
#define ROLE_CONFINE_CALLS_H

#include <seccomp.h>
#include <stddef.h>

#include "role/confine_needs.h"

enum { CALL_CONDITIONS_MAX = 2 };
#define CALL_OWN_PROCESS UINT64_MAX /* as the value of a condition: our process's id */

/* A system call by name, where all of the conditions hold for its arguments. */
struct call_rule {
	const char *name;
	struct scmp_arg_cmp when[CALL_CONDITIONS_MAX]; /* `conditions` of them */
	unsigned conditions;
};

enum call_verdict {
	CALLS_ALLOWED,
	CALLS_REFUSED, /* with `error`: libraries ask for it, and live without */
	CALLS_DEADLY,  /* nobody here makes it: an intruder does */
};

struct call_set {
	const char *purpose;
	unsigned of,
		but_of; /* bits of enum confine_need: of whom has one of these (0: of all), but not of whom has one of those */
	enum call_verdict verdict;
	int error;
	const struct call_rule *rules;
	size_t n;
};

extern const struct call_set call_sets[];
extern const size_t call_sets_n;

#endif
