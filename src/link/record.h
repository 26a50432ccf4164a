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
#define BODY_OF(view)   ((struct body){(view), -1})
void body_release(struct body *b);
/* A body with these octets: a copy in `a`, or a memory file of this name, sealed and mapped. The caller releases it. E_MEMORY, E_TEMP. */
MUST_USE err body_make(const char *name, str bytes, struct arena *a, struct body *out);

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
	const struct field *(*fields)(void); /* n of them */
	size_t n;
};

/* Descriptors that a record brings along: packing collects them here (they stay their owner's), unpacking takes them in the
 * same order. BODY and FD fields stand in the records of calls only, not in the items of lists. */
#define RECORD_FDS_MAX 8
struct record_fds {
	int fd[RECORD_FDS_MAX];
	size_t n, taken;
	bool too_long; /* packing: a list has more than RECORD_LIST_MAX items; what was packed is of no use */
};

/* Bounds that unpacking enforces: a list's items (packing refuses more too), and the arena's cap for all that is allocated. Views
 * point into the input. */
#define RECORD_LIST_MAX 100000
/* Empty: numbers 0, strings and lists empty, descriptors -1. */
void record_init(const struct record *r, void *data);
/* Closes and unmaps the descriptors and bodies that unpacking put there, and sets them to -1. */
void record_release(const struct record *r, void *data);
void record_pack(const struct record *r, const void *data, struct buf *out, struct record_fds *fds);
/* E_SYNTAX: malformed (also: bytes left over, a memory file without its seals). E_LIMIT: the arena is full. On failure `data` holds no
 * descriptor: those that were taken are closed. */
MUST_USE err record_unpack(const struct record *r, struct cursor *in, void *data, struct arena *a,
                           struct record_fds *fds);
/* name=value ... for logs and debugging; long strings cut at 80 bytes, passwords and hashes left out. */
void record_print(const struct record *r, const void *data, struct buf *out);

#endif
