/* SPDX-License-Identifier: ISC */
/* together - several things that wait, at the same time, for one coroutine that goes on when all of them are done. */
#ifndef RT_TOGETHER_H
#define RT_TOGETHER_H

#include "rt/rt.h"

struct together_part {
	const char *name; /* lives on */
	err (*fn)(void *ctx);
	void *ctx;
	/* its own */
	struct together *all;
	struct co *co; /* NULL: it has ended */
};
/* Runs every fn(ctx) in a coroutine of its own (one after the other where there is no memory for one) and returns when all have ended: OK, or the error of one
 * of them, noted. Cancelled itself, it cancels them: E_CANCELLED. */
MUST_USE err together_run(struct together_part *parts, size_t n);

#endif
