/* SPDX-License-Identifier: ISC */
/* stream - a connection with buffered input and output and sticky errors: after the first failure every call returns
 * that error (E_CLOSED, E_TIMEOUT, E_CANCELLED, E_IO), so a dialogue reads straight through and looks once.
 *
 * An error of reading leaves the way out open for a last word: what is put afterwards is sent by stream_flush as far
 * as that goes without waiting, and the flush still returns the error.
 *
 * Input is overwritten before its memory is given back: passwords come that way.
 *
 * Reading flushes the output before it waits and at the end of the input, so that a batch of commands is answered in
 * one segment. Buffers exist only while something is in them: an idle stream costs its struct and nothing else.
 */
#ifndef RT_STREAM_H
#define RT_STREAM_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "rt/rt.h"

struct stream;

/* What carries the bytes: a socket, TLS above it (later), a simulated pipe. read/write: > 0 bytes moved, 0 end, or
 * one of below. */
enum { TRANSPORT_AGAIN = -1, TRANSPORT_FAILED = -2 };
struct transport {
	ssize_t (*read)(void *t, char *p, size_t n);
	ssize_t (*write)(void *t, const char *p, size_t n);
	err (*wait_readable)(void *t, nsec deadline);
	err (*wait_writable)(void *t, nsec deadline);
	void (*close)(void *t); /* and frees t */
	/* Writes the last `bytes`, and the end of the output together with them; waits for room. Input goes on. NULL: the end comes with close. */
	err (*finish)(void *t, str bytes, nsec deadline);
};

/* A stream over a connected socket, which it owns; NULL: no memory (fd closed). read_max: most input bytes held at
 * once. */
MUST_USE struct stream *stream_open_fd(int fd, size_t read_max);
MUST_USE struct stream *stream_open(const struct transport *ops, void *t, size_t read_max);
/* Two ends of a simulated connection, for tests: bytes written to one are read from the other, in pieces chosen by
 * rt_random when `torn`. Works in real and simulated loops. False: no memory. */
MUST_USE bool stream_pair(struct stream **a, struct stream **b, size_t read_max, bool torn);
void stream_close(struct stream *s); /* no flush; frees; NULL allowed */

err stream_error(const struct stream *s); /* OK while nothing failed */
int stream_fd(const struct stream *s);    /* -1 when there is none */

/* Reading. All waiting stops at `deadline` with E_TIMEOUT, and so does a read that goes on because input never ends.
 * line: the next line with its LF; the view lasts until the next read call. A line longer than `max` (with its end)
 *   is E_LIMIT: not sticky, the rest of that line was thrown away in bounded memory, the next call reads the line after
 *   it. E_CLOSED at the end.
 * peek: everything that is buffered, waiting for at least one byte when there is none; consume: takes n of it. */
MUST_USE err stream_read_line(struct stream *s, size_t max, str *line, nsec deadline);
MUST_USE err stream_peek(struct stream *s, str *bytes, nsec deadline);
str stream_buffered(const struct stream *s); /* what was read and not taken; may be empty */
/* As peek, but what has not arrived is not waited for: may be empty, never fails. Of what arrived since the last wait it
 * may see nothing. */
str stream_poll(struct stream *s);
void stream_consume(struct stream *s, size_t n);
MUST_USE err stream_read(struct stream *s, char *p, size_t n, nsec deadline); /* exactly n bytes */
void stream_discard_input(struct stream *s); /* throws buffered input away (STARTTLS) */

/* One coroutine may write and flush while another one reads.
 * Writing is buffered; beyond 64 KiB held back it flushes, waiting up to the deadline set by stream_write_timeout
 * (default 5 min). */
void stream_put(struct stream *s, str bytes);
void stream_printf(struct stream *s, const char *fmt, ...) PRINTF(2, 3);
err stream_flush(struct stream *s);
/* As flush, and nothing is put any more: what was put, TLS's close_notify and the end of the output leave in one segment. Unlike after a close,
 * what the peer still sends takes none of it away, and can be read. */
err stream_finish(struct stream *s);
void stream_write_timeout(struct stream *s, nsec duration);
void stream_secret(struct stream *s); /* its output too is overwritten once it is sent */

#endif
