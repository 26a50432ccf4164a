/* SPDX-License-Identifier: ISC */
/* record - typed data that crosses a process border. Each record is declared once, as a list of fields; the C struct, packing,
 * unpacking, printing and the fuzz target come from that list. Kinds of fields:
 *
 *	NUM(name)         uint64_t
 *	STR(name)         str
 *	LIST(type, name)  struct type *name; size_t name_n;
 *	BODY(name)        struct body: bytes in the frame, or a sealed memory file beside it
 *	FD(name)          int: a descriptor that is handed over; -1 none
 */
#ifndef LINK_RECORD_H
#define LINK_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

/* A message's bytes. fd < 0: all of it is `bytes`. Otherwise a sealed memory file of `size` bytes, mapped read-only as `bytes`
 * on the receiving side (body_release unmaps and closes). */
struct body {
	str bytes;
	int fd;
};
#define BODY_INLINE_MAX (128u << 10) /* larger bodies travel as memory files */
#define BODY_OF(view) ((struct body){(view), -1})
void body_release(struct body *b);

enum field_kind { FIELD_NUM, FIELD_STR, FIELD_LIST, FIELD_BODY, FIELD_FD };

struct record;
struct field {
	const char *name;
	enum field_kind kind;
	size_t at, count_at;       /* offsets in the struct */
	const struct record *item; /* of a LIST */
};
struct record {
	const char *name;
	size_t size;
	const struct field *fields;
	size_t n;
};

/* Descriptors that a record brings along: packing collects them here, unpacking takes them in the same order. */
#define RECORD_FDS_MAX 8
struct record_fds {
	int fd[RECORD_FDS_MAX];
	size_t n, taken;
};

/* Bounds that unpacking enforces: a list's items, and the arena's cap for all that is allocated. Views point into the input. */
#define RECORD_LIST_MAX 100000
void record_pack(const struct record *r, const void *data, struct buf *out, struct record_fds *fds);
MUST_USE err record_unpack(const struct record *r, struct cursor *in, void *data, struct arena *a, struct record_fds *fds);
/* name=value ... for logs and debugging; long strings cut at 80 bytes. */
void record_print(const struct record *r, const void *data, struct buf *out);

#endif
