/* SPDX-License-Identifier: ISC */
/* milter_packet - the frames of the milter protocol, version 6: a length of four octets (big-endian), a letter, and what belongs to it. The MTA's side. Pure but for the stream. */
#ifndef SCAN_MILTER_PACKET_H
#define SCAN_MILTER_PACKET_H

#include "base/cursor.h"
#include "rt/stream.h"

enum { MILTER_VERSION = 6, MILTER_PACKET_MAX = 1 << 20, MILTER_CHUNK_MAX = 65535 };

/* What the MTA says. */
enum milter_command {
	MILTER_OPTIONS = 'O',
	MILTER_MACROS = 'D',
	MILTER_CONNECT = 'C',
	MILTER_HELO = 'H',
	MILTER_MAIL = 'M',
	MILTER_RCPT = 'R',
	MILTER_DATA = 'T',
	MILTER_HEADER = 'L',
	MILTER_HEADER_END = 'N',
	MILTER_BODY = 'B',
	MILTER_BODY_END = 'E',
	MILTER_QUIT = 'Q'
};
/* What it may change, and what it need not be told or will not answer: bits of the negotiation. */
enum milter_action {
	MILTER_MAY_ADD_HEADERS = 0x01,
	MILTER_MAY_CHANGE_BODY = 0x02,
	MILTER_MAY_ADD_RCPTS = 0x04,
	MILTER_MAY_DELETE_RCPTS = 0x08,
	MILTER_MAY_CHANGE_HEADERS = 0x10,
	MILTER_MAY_QUARANTINE = 0x20,
	MILTER_MAY_CHANGE_SENDER = 0x40,
	MILTER_MAY_ADD_RCPTS_PAR = 0x80,
	MILTER_MAY_ALL = 0xff
};
enum milter_step {
	MILTER_NO_CONNECT = 0x01,
	MILTER_NO_HELO = 0x02,
	MILTER_NO_MAIL = 0x04,
	MILTER_NO_RCPT = 0x08,
	MILTER_NO_BODY = 0x10,
	MILTER_NO_HEADERS = 0x20,
	MILTER_NO_HEADER_END = 0x40,
	MILTER_QUIET_HEADER = 0x80,
	MILTER_NO_DATA = 0x200,
	MILTER_SKIP = 0x400,
	MILTER_QUIET_CONNECT = 0x1000,
	MILTER_QUIET_HELO = 0x2000,
	MILTER_QUIET_MAIL = 0x4000,
	MILTER_QUIET_RCPT = 0x8000,
	MILTER_QUIET_DATA = 0x10000,
	MILTER_QUIET_HEADER_END = 0x40000,
	MILTER_QUIET_BODY = 0x80000,
	MILTER_LEADING_BLANKS = 0x100000,
	MILTER_STEPS = 0x1ff6ff /* that we can do without, or with */
};

/* What comes back. */
enum milter_reply {
	MILTER_CONTINUE = 'c',
	MILTER_ACCEPT = 'a',
	MILTER_REJECT = 'r',
	MILTER_TEMPFAIL = 't',
	MILTER_DISCARD = 'd',
	MILTER_REPLYCODE = 'y',
	MILTER_PROGRESS = 'p',
	MILTER_SKIP_BODY = 's',
	MILTER_CONNECTION_FAIL = 'f',
	MILTER_SHUTDOWN = '4',
	MILTER_ADD_HEADER = 'h',
	MILTER_INSERT_HEADER = 'i',
	MILTER_CHANGE_HEADER = 'm',
	MILTER_REPLACE_BODY = 'b',
	MILTER_CHANGE_SENDER = 'e',
	MILTER_ADD_RCPT = '+',
	MILTER_ADD_RCPT_PAR = '2',
	MILTER_DELETE_RCPT = '-',
	MILTER_QUARANTINE = 'q'
};

/* The parts of a packet's data are put one behind the other. */
struct milter_packet {
	char kind;
	str data;
};
void milter_put(struct stream *s, char kind, const str *parts, size_t n);
/* `memory` holds what came; the next call overwrites it. E_LIMIT: larger than MILTER_PACKET_MAX, E_SYNTAX: empty. */
MUST_USE err milter_get(struct stream *s, struct buf *memory, struct milter_packet *out, nsec deadline);

uint32_t milter_u32(struct cursor *c); /* big-endian */
str milter_string(struct cursor *c);   /* up to a NUL, which is taken; fails without one */
void milter_number(uint32_t v, char out[4]);

#endif
