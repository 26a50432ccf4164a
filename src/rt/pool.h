/* SPDX-License-Identifier: ISC */
/* pool - a few warm I/O buffers a loop, of two sizes; others come from malloc. Private to this room. */
#ifndef RT_POOL_H
#define RT_POOL_H

#include <stddef.h>

#include "base/attr.h"

#define POOL_SMALL ((size_t)16 << 10)
#define POOL_LARGE ((size_t)64 << 10)

struct pool_buffer;

struct pool {
	struct pool_buffer *free[2];
	size_t count[2];
};

/* `size` bytes, or NULL. They come from the running loop's pool when there is a loop and the size is one of the two. */
MUST_USE char *pool_take(size_t size);
void pool_give(char *p, size_t size); /* the size it was taken with; NULL allowed */
void pool_close(struct pool *pool);

#endif
