/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rt/stack.h"

#if STACK_SANITIZED
#include <sanitizer/asan_interface.h>
#endif

#define STACK_CHUNK    32 /* stacks a mapping */
#define STACK_KEEP_HOT 8  /* free stacks that may keep their memory for ever */

/* Linux 6.13: a guard that lives in the page table, so that the mapping is not split (vm.max_map_count). */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static size_t page_size(void)
{
	static size_t size;

	if (size == 0)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

static bool guard_install(char *stack)
{
	return madvise(stack, page_size(), MADV_GUARD_INSTALL) == 0 || mprotect(stack, page_size(), PROT_NONE) == 0;
}

static char *chunk_map(void)
{
	size_t size = STACK_CHUNK * STACK_SIZE;
	char *chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
	                   -1, 0);

	if (chunk == MAP_FAILED)
		return NULL;
	/* A huge page would make each idle coroutine as large as its whole stack. Fails where the kernel has none. */
	(void)madvise(chunk, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < STACK_CHUNK; i++) {
		if (!guard_install(chunk + i * STACK_SIZE)) {
			munmap(chunk, size);
			return NULL;
		}
	}
	return chunk;
}

static bool grow_list(char ***list, size_t count)
{
	char **grown = reallocarray(*list, count, sizeof(*grown));

	if (grown == NULL)
		return false;
	*list = grown;
	return true;
}

static bool stack_pool_grow(struct stack_pool *p)
{
	if (!grow_list(&p->chunks, p->chunk_count + 1) || !grow_list(&p->free, (p->chunk_count + 1) * STACK_CHUNK))
		return false;

	char *chunk = chunk_map();

	if (chunk == NULL)
		return false;
	p->chunks[p->chunk_count++] = chunk;
	for (size_t i = STACK_CHUNK; i > 0; i--)
		p->free[p->free_count++] = chunk + (i - 1) * STACK_SIZE;
	p->cold = p->free_count;
	return true;
}

char *stack_take(struct stack_pool *p)
{
	if (p->free_count == 0 && !stack_pool_grow(p))
		return NULL;

	char *stack = p->free[--p->free_count];

	if (p->cold > p->free_count)
		p->cold = p->free_count;
	if (p->low > p->free_count)
		p->low = p->free_count;
	return stack;
}

void stack_give(struct stack_pool *p, char *stack)
{
#if STACK_SANITIZED
	/* The frames of the function that never returned are still marked. */
	ASAN_UNPOISON_MEMORY_REGION(stack + page_size(), STACK_SIZE - page_size());
#endif
	p->free[p->free_count++] = stack;
}

void stack_trim(char *stack, const char *sp)
{
	size_t guard = page_size();
	size_t used_from = (size_t)(sp - stack) & ~(guard - 1);

	if (used_from > guard)
		(void)madvise(stack + guard, used_from - guard, MADV_DONTNEED);
}

void stack_pool_trim(struct stack_pool *p)
{
	size_t keep = p->low > STACK_KEEP_HOT ? p->low - STACK_KEEP_HOT : 0;

	for (; p->cold < keep; p->cold++)
		stack_trim(p->free[p->cold], p->free[p->cold] + STACK_SIZE);
	p->low = p->free_count;
}

bool stack_pool_wants_trim(const struct stack_pool *p)
{
	return p->free_count > p->cold + STACK_KEEP_HOT;
}

void stack_pool_close(struct stack_pool *p)
{
	for (size_t i = 0; i < p->chunk_count; i++)
		munmap(p->chunks[i], STACK_CHUNK * STACK_SIZE);
	free(p->chunks);
	free(p->free);
	*p = (struct stack_pool){0};
}
