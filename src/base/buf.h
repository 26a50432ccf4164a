/* SPDX-License-Identifier: ISC */
/* buf - bytes that are being written, with a cap given at the start. Overflow (or no memory) sticks in `full`: write
 * straight through, look once. A buf that overflowed keeps what fitted before the failing call, nothing of that call.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	char *p;  /* malloc'ed, grows on demand */
	size_t n; /* bytes written */
	size_t size, cap;
	bool full;
	bool secret; /* what it holds is overwritten before its memory is given back, also to grow */
};

#define BUF_INIT(limit)  ((struct buf){.cap = (limit)})
#define BUF(name, limit) CLEANUP(buf_free) struct buf name = BUF_INIT(limit)

/* Room for `n` more bytes to be written at the returned pointer, then buf_commit(b, used); NULL when over the cap. */
MUST_USE char *buf_grow(struct buf *b, size_t n); /* buf_reserve's slow half */

MUST_USE static inline char *buf_reserve(struct buf *b, size_t n)
{
	return b->p != NULL && !b->full && b->size - b->n >= n ? b->p + b->n : buf_grow(b, n);
}

static inline void buf_commit(struct buf *b, size_t n)
{
	b->n += n;
}

static inline void buf_put(struct buf *b, str s)
{
	char *to = s.n == 0 ? NULL : buf_reserve(b, s.n);

	if (to == NULL)
		return;
	memcpy(to, s.p, s.n);
	b->n += s.n;
}

static inline void buf_putc(struct buf *b, char c)
{
	buf_put(b, (str){&c, 1});
}

static inline void buf_puts(struct buf *b, const char *z)
{
	buf_put(b, str_from(z));
}

void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_u64(struct buf *b, uint64_t v);     /* decimal */
void buf_utf8(struct buf *b, uint32_t code); /* one character, at most U+10FFFF */
void buf_le32(struct buf *b, uint32_t v);    /* binary, little-endian */
void buf_le64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v); /* LEB128, 1 to 10 bytes */

/* View of all; valid until the next write. */
static inline str buf_str(const struct buf *b)
{
	return (str){b->p, b->n};
}

/* Empty, not full, memory kept. */
static inline void buf_reset(struct buf *b)
{
	b->n = 0;
	b->full = false;
}

/* The same, and what it held is overwritten. */
static inline void buf_wipe(struct buf *b)
{
	if (b->n > 0)
		explicit_bzero(b->p, b->n);
	buf_reset(b);
}

void buf_consume(struct buf *b, size_t n); /* drops the first n bytes */
void buf_free(struct buf *b);              /* memory given back; can be used again */

#endif
