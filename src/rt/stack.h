/* SPDX-License-Identifier: ISC */
/* stack - memory for coroutines to run on: guarded at the low end, reused newest first, given back to the kernel
 * when not used. Untouched pages cost nothing, so that a stack costs what its deepest call touched.
 */
#ifndef RT_STACK_H
#define RT_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#if defined(__SANITIZE_ADDRESS__)
#define STACK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STACK_SANITIZED 1
#endif
#endif
#ifndef STACK_SANITIZED
#define STACK_SANITIZED 0
#endif

#define STACK_SIZE ((size_t)(STACK_SANITIZED ? 256 << 10 : 64 << 10)) /* bytes, guard page included */

struct stack_pool {
	char **chunks; /* mappings of STACK_CHUNK stacks each */
	size_t chunk_count;
	char **free; /* room for every stack there is; the last is used next */
	size_t free_count;
	size_t cold; /* free[0 .. cold) hold no memory */
	size_t low;  /* least free_count since the last stack_pool_trim */
};

/* Lowest address of STACK_SIZE bytes, or NULL. */
MUST_USE char *stack_take(struct stack_pool *p);
void stack_give(struct stack_pool *p, char *stack);
/* Gives the pages of `stack` that lie wholly below `sp` back. */
void stack_trim(char *stack, const char *sp);
/* Gives the memory of stacks back that were free since the last call, but for a few. `stack_pool_wants_trim`: would
 * it do anything, now or the next time? */
void stack_pool_trim(struct stack_pool *p);
bool stack_pool_wants_trim(const struct stack_pool *p);
void stack_pool_close(struct stack_pool *p); /* all stacks, used or not */

#endif
