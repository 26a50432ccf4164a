/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALIGN = alignof(max_align_t), BLOCK_MIN = 1024, BLOCK_MAX = 64 * 1024, LARGE = 2048, PRINTED_FEW = 256 };

struct arena_block {
	struct arena_block *older;
	size_t used, size; /* bytes of data that may be shared out */
	size_t octets;     /* bytes of data */
	alignas(max_align_t) char data[];
};

static void *fail(struct arena *a)
{
	a->full = true;
	return NULL;
}

/* A block of small things. Sizes double, so that a small arena stays small and a large one takes few calls. Blocks come zeroed and are never used
 * twice, which is why arena_alloc has nothing to clear. */
static struct arena_block *block_add(struct arena *a, size_t n)
{
	size_t size = a->block == NULL || a->block->size == 0 ? BLOCK_MIN : a->block->size * 2;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size > a->cap - a->used)
		size = a->cap - a->used;
	if (size < n)
		size = n;
	struct arena_block *b = calloc(1, sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->size = b->octets = size;
	b->older = a->block;
	a->block = b;
	return b;
}

/* What is large has a block of its own behind the newest one, which goes on with small things: a body in an arena does not make the blocks that
 * come after it large. Its size is 0: nothing else goes there. */
static void *large_add(struct arena *a, size_t n, bool zeroed)
{
	size_t size = sizeof(struct arena_block) + n;
	struct arena_block *b = zeroed ? calloc(1, size) : malloc(size);

	if (b == NULL)
		return fail(a);
	b->size = b->used = 0;
	b->octets = n;
	struct arena_block **at = a->block == NULL ? &a->block : &a->block->older;
	b->older = *at;
	*at = b;
	a->used += n;
	return b->data;
}

static void *take(struct arena *a, size_t n, bool zeroed)
{
	if (a->full || n > a->cap || n > SIZE_MAX / 2)
		return fail(a);
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (n > a->cap - a->used)
		return fail(a);
	struct arena_block *b = a->block;
	if (b == NULL || b->size - b->used < n) {
		if (n >= LARGE)
			return large_add(a, n, zeroed);
		b = block_add(a, n);
	}
	if (b == NULL)
		return fail(a);
	void *p = b->data + b->used;
	b->used += n;
	a->used += n;
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	return take(a, n, true);
}

char *arena_octets(struct arena *a, size_t n)
{
	return take(a, n, false);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	return __builtin_mul_overflow(count, size, &n) ? fail(a) : arena_alloc(a, n);
}

str arena_str(struct arena *a, str s)
{
	char *p = arena_octets(a, s.n);

	if (p == NULL)
		return STR_NONE;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return str_make(p, s.n);
}

str arena_lower(struct arena *a, str s)
{
	char *p = arena_alloc(a, s.n);

	if (p == NULL)
		return STR_NONE;
	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + ('a' - 'A') : s.p[i]);
	return str_make(p, s.n);
}

str arena_line(struct arena *a, str s, char instead)
{
	char *p = arena_octets(a, s.n);

	for (size_t i = 0; i < s.n && p != NULL; i++)
		p[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? instead : s.p[i];
	return p == NULL ? STR_NONE : str_make(p, s.n);
}

str arena_ascii(struct arena *a, str s)
{
	char *p = arena_octets(a, s.n);

	for (size_t i = 0; i < s.n && p != NULL; i++)
		p[i] = (char)(s.p[i] < ' ' || s.p[i] > '~' ? '?' : s.p[i]);
	return p == NULL ? STR_NONE : str_make(p, s.n);
}

char *arena_z(struct arena *a, str s)
{
	char *p = str_find(s, '\0') < s.n ? NULL : arena_alloc(a, s.n + 1);

	if (p != NULL && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

str arena_printf(struct arena *a, const char *fmt, ...)
{
	char few[PRINTED_FEW]; /* most are short: they are printed once */
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(few, sizeof(few), fmt, ap);
	va_end(ap);
	char *p = n < 0 ? fail(a) : arena_octets(a, (size_t)n + 1);
	if (p == NULL)
		return STR_NONE;
	if ((size_t)n < sizeof(few)) {
		memcpy(p, few, (size_t)n + 1);
		return str_make(p, (size_t)n);
	}
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return str_make(p, (size_t)n);
}

void arena_wipe(struct arena *a)
{
	for (struct arena_block *b = a->block; b != NULL; b = b->older)
		explicit_bzero(b->data, b->octets);
	arena_free(a);
}

void arena_free(struct arena *a)
{
	while (a->block != NULL) {
		struct arena_block *older = a->block->older;
		free(a->block);
		a->block = older;
	}
	a->used = 0;
	a->full = false;
}
