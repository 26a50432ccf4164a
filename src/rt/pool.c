/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "rt/loop.h"

struct pool_buffer {
	struct pool_buffer *next;
};

static const size_t pool_keep[2] = {16, 4};

static int pool_class(size_t size)
{
	if (loop_current == NULL || (size != POOL_SMALL && size != POOL_LARGE))
		return -1;
	return size == POOL_LARGE;
}

char *pool_take(size_t size)
{
	int class = pool_class(size);

	if (class < 0 || loop_current->buffers.free[class] == NULL)
		return malloc(size);

	struct pool *pool = &loop_current->buffers;
	struct pool_buffer *buffer = pool->free[class];

	pool->free[class] = buffer->next;
	pool->count[class]--;
	return (char *)buffer;
}

void pool_give(char *p, size_t size)
{
	int class = pool_class(size);

	if (p == NULL || class < 0 || loop_current->buffers.count[class] >= pool_keep[class]) {
		free(p);
		return;
	}

	struct pool *pool = &loop_current->buffers;
	struct pool_buffer *buffer = (struct pool_buffer *)(void *)p;

	buffer->next = pool->free[class];
	pool->free[class] = buffer;
	pool->count[class]++;
}

void pool_close(struct pool *pool)
{
	for (size_t class = 0; class < 2; class ++) {
		while (pool->free[class]) {
			struct pool_buffer *next = pool->free[class]->next;

			free(pool->free[class]);
			pool->free[class] = next;
		}
	}
}
