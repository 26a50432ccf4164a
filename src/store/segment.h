/* SPDX-License-Identifier: ISC */
/* segment - an append-only file of records in data/bodies, named by its number.
 *
 *	file    "POMBOSEG"  version:32  number:64  mark:64  crc32c:32                 32 octets, then records
 *	record  mark:64  kind:32  envelope:32  body:64  crc32c:32  0:32               32 octets, then envelope and body
 *
 * Integers are little-endian. A record's checksum covers its header up to the checksum, envelope and body. The mark is random, one
 * a segment: after damage the next record is found by it, and no sender can put a record of his own making into a body. A record never
 * changes; what was written but not committed (behind segment.size in the database) is never looked at.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define SEGMENT_VERSION     1
#define SEGMENT_HEADER      32
#define SEGMENT_RECORD_HEAD 32
#define SEGMENT_RECORD_MAX  (1ull << 31) /* octets of a record that is read back into memory */
#define SEGMENT_NAME_MAX    24

/* SEGMENT_MESSAGE_1: a message with an envelope as it was before there were other servers; SEGMENT_MESSAGE_2: before mail was judged. */
enum segment_kind {
	SEGMENT_MESSAGE_1 = 1,
	SEGMENT_TOMBSTONES = 2,
	SEGMENT_MESSAGE_2 = 3,
	SEGMENT_MESSAGE = 4,
	SEGMENT_MOVES = 5
};

struct segment {
	uint64_t number, mark;
	int fd; /* -1: none */
};
#define SEGMENT_NONE ((struct segment){.fd = -1})

struct segment_record {
	enum segment_kind kind;
	uint64_t length; /* of all of it */
	str envelope, body;
};

static inline bool segment_is_message(const struct segment_record *r)
{
	return r->kind != SEGMENT_TOMBSTONES && r->kind != SEGMENT_MOVES;
}

void segment_name(uint64_t number, char out[SEGMENT_NAME_MAX]);
MUST_USE bool segment_number(const char *name, uint64_t *number); /* false: not a segment's name */

/* `dir`: the folder's descriptor. create: the file and its name are durable when it returns. open: E_NOT_FOUND, E_SYNTAX (no segment). */
MUST_USE err segment_create(int dir, uint64_t number, struct segment *out);
enum segment_access { SEGMENT_READ, SEGMENT_APPEND };
MUST_USE err segment_open(int dir, uint64_t number, enum segment_access access, struct segment *out);
void segment_close(struct segment *s);
MUST_USE err segment_size(const struct segment *s, uint64_t *octets);

/* Appends header and envelope of a record to `out`; the body, given in parts, is to be written right behind it. Returns the record's length. */
uint64_t segment_record_put(struct buf *out, uint64_t mark, enum segment_kind kind, str envelope, const str *body,
                            size_t parts);

/* The record at the beginning of `bytes`. E_END: more bytes are needed, out->length in all (0: not even the header is there);
 * E_SYNTAX: damaged, or none. Views point into `bytes`. */
MUST_USE err segment_record_parse(str bytes, uint64_t mark, struct segment_record *out);

/* The record at `at`; `memory` is overwritten and holds it. E_SYNTAX: damaged; E_END: the file is shorter; E_LIMIT; E_IO. */
MUST_USE err segment_read(const struct segment *s, uint64_t at, struct buf *memory, struct segment_record *out);

/* Walks the records of a segment up to `end`. After damage it goes on at the next record that is whole, and counts the octets it passed over. */
struct segment_scan {
	const struct segment *segment;
	uint64_t next, end;
	uint64_t at;      /* of the record that was returned last */
	uint64_t damaged; /* octets */
	struct buf memory;
};
struct segment_scan segment_scan_begin(const struct segment *s, uint64_t end);
MUST_USE err segment_scan_next(struct segment_scan *scan, struct segment_record *out); /* E_END: no more */
void segment_scan_end(struct segment_scan *scan);

#endif
