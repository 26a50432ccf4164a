/* SPDX-License-Identifier: ISC */
/* connection - one life of a link: two sockets, the frames that go over them, the calls that wait for it. Private to this room.
 *
 * Coroutines: a reader for its whole life; a writer only while the socket takes no more; one for each call that is being served. It ends
 * (connection_abort) when the peer is gone, says something malformed, or the link is attached anew. The memory goes with the
 * last coroutine.
 */
#ifndef LINK_CONNECTION_H
#define LINK_CONNECTION_H

#include "link/frame.h"
#include "link/link.h"

#define BACKLOG_MAX       ((size_t)64 << 20) /* octets that wait to be written */
#define SERVING_MAX       4096               /* calls of the peer served at once; then reading pauses */
#define SERVING_BYTES_MAX ((size_t)64 << 20) /* and octets of their frames */

/* A call of ours that waits for its reply; on the caller's stack. */
struct waiting {
	uint64_t id;
	enum call type;
	void *reply;
	struct arena *arena;
	struct co *co; /* NULL: it does not wait yet */
	bool done;
	struct err_info info; /* how it ended; code OK: reply is filled */
};

/* Our calls by id: the low bits of an id are its place. */
struct waiting_table {
	struct waiting **slots;
	uint32_t *free; /* places, a stack */
	size_t free_n, size, n;
	uint64_t generation;
};

struct serving; /* a call of the peer's */

struct connection {
	struct link *link;
	struct stream *stream;
	struct rt_fd descriptors;         /* fd -1: none can be handed over */
	struct semaphore descriptors_out; /* descriptors and the frame they belong to leave together */
	uint64_t ticket_out, ticket_in;   /* of the next descriptor */
	struct buf out;                   /* frames of this round */
	struct buf writing;               /* what the writer is at, from `written` on */
	size_t written;
	bool secrets; /* in one of the two: they are wiped */
	struct rt_round round;
	struct co *reader, *writer;
	bool alive;  /* false: nothing goes in or out any more */
	bool ended;  /* and the sockets are closed */
	bool paused; /* the reader waits until fewer calls are being served */
	unsigned references;
	struct waiting_table waiting;
	struct serving *serving;
	size_t serving_n, serving_bytes;
};

struct link {
	char *peer;
	const struct link_service *service;
	struct connection *connection; /* NULL: away */
	void (*watcher)(void *ctx);    /* of its connections' ends; NULL: nobody */
	void *watcher_ctx;
	struct co *awaited_by; /* by link_attach and link_free: the end of a connection */
	size_t connections;    /* that still have a coroutine or memory */
	bool freed;
};

/* Takes over the stream and the descriptor. The link's connection is it when the return value is OK. */
MUST_USE err connection_start(struct link *l, struct stream *stream, int descriptors_fd);
void connection_abort(struct connection *c);
void connection_unref(struct connection *c);

/* Queues a frame for the end of this round. Waits only when descriptors have to go first. E_TEMP: the connection is gone or the backlog is
 * full. E_LIMIT: too large for a frame. */
MUST_USE err connection_send(struct connection *c, struct frame *f, const struct record *r, const void *data,
                             nsec deadline);

/* descriptors.c. One descriptor, before its frame. */
MUST_USE err connection_send_descriptor(struct connection *c, int fd, nsec deadline);
/* A frame's descriptors, in order. False: they are not there; the peer is broken. */
MUST_USE bool connection_take_descriptors(struct connection *c, const struct frame *f, struct record_fds *fds);
void descriptors_close(struct record_fds *fds); /* those that nobody took */

/* serve.c: what to do with frames. False: malformed. */
MUST_USE bool serve_frame(struct connection *c, str frame);
void serve_cancel_all(struct connection *c);

/* waiting.c */
MUST_USE err waiting_add(struct waiting_table *t, struct waiting *w);     /* sets w->id; E_MEMORY; E_TEMP: too many */
struct waiting *waiting_find(const struct waiting_table *t, uint64_t id); /* NULL: no longer */
void waiting_remove(struct waiting_table *t, const struct waiting *w);
void waiting_finish(struct waiting_table *t, struct waiting *w, const struct err_info *info); /* removes and wakes */
void waiting_fail_all(struct waiting_table *t);
err link_away(void); /* sets the error that callers get when the peer is away: E_TEMP */

#endif
