/* SPDX-License-Identifier: ISC */
#include "link/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"

#define OUT_KEPT_MAX ((size_t)1 << 20) /* memory an empty buffer keeps */
#define WRITER_PIECE ((size_t)64 << 10)

void connection_unref(struct connection *c)
{
	struct link *l = c->link;

	if (--c->references > 0)
		return;
	buf_free(&c->out);
	buf_free(&c->writing);
	free(c);
	l->connections--;
	if (l->awaited_by != NULL)
		rt_wake(l->awaited_by);
}

void connection_abort(struct connection *c)
{
	if (!c->alive)
		return;
	c->alive = false;
	if (c->link->connection == c)
		c->link->connection = NULL;
	waiting_fail_all(&c->waiting);
	if (c->reader != rt_self())
		rt_cancel(c->reader);
	if (c->writer != NULL)
		rt_cancel(c->writer);
}

/* --- writing --- */

static void out_empty(const struct connection *c, struct buf *b)
{
	if (c->secrets)
		buf_wipe(b);
	if (b->size > OUT_KEPT_MAX)
		buf_free(b);
	else
		buf_reset(b);
}

/* Frames that came while the last lot was written become the next lot. */
static bool writer_next(struct connection *c)
{
	struct buf empty = c->writing;

	out_empty(c, &empty);
	c->writing = c->out;
	c->out = empty;
	c->written = 0;
	return c->writing.n > 0;
}

static void writer_run(void *arg)
{
	struct connection *c = arg;

	do {
		str piece = str_take(str_drop(buf_str(&c->writing), c->written), WRITER_PIECE);

		stream_put(c->stream, piece);
		if (stream_flush(c->stream) != OK)
			connection_abort(c);
		c->written += piece.n;
	} while (c->alive && (c->written < c->writing.n || writer_next(c)));
	c->writer = NULL;
	c->secrets = false;
	connection_unref(c);
}

static void writer_start(struct connection *c, size_t written)
{
	writer_next(c);
	c->written = written;
	c->writer = rt_spawn(writer_run, c, "link writer");
	if (c->writer == NULL)
		connection_abort(c);
	else
		c->references++;
}

/* Straight to the socket; what it does not take goes to a writer. */
static void flush_out(struct connection *c)
{
	int fd = stream_fd(c->stream);
	size_t at = 0;

	while (fd >= 0 && at < c->out.n) {
		str rest = str_drop(buf_str(&c->out), at);
		ssize_t n = send(fd, rest.p, rest.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			return connection_abort(c);
	}
	if (at < c->out.n)
		return writer_start(c, at);
	out_empty(c, &c->out);
	c->secrets = false;
}

static void round_end(void *arg)
{
	struct connection *c = arg;

	if (c->alive && c->writer == NULL)
		flush_out(c);
	connection_unref(c);
}

static err queued(struct connection *c, err e)
{
	if (e == E_FULL)
		return err_set(E_TEMP, 451, "4.3.0", "the mail system is too busy, try again");
	if (e == OK && c->writer == NULL && !c->round.queued) {
		c->references++;
		rt_at_round_end(&c->round);
	}
	return e;
}

static err send_descriptors(struct connection *c, const struct record_fds *fds, nsec deadline)
{
	err e = OK;

	for (size_t i = 0; i < fds->n && e == OK; i++)
		e = connection_send_descriptor(c, fds->fd[i], deadline);
	return e;
}

/* The frame was tried and turned out to bring `fds` along. */
static err send_with_descriptors(struct connection *c, struct frame *f, const struct record *r, const void *data,
                                 struct record_fds *fds, nsec deadline)
{
	if (c->descriptors.fd < 0)
		return err_note(E_DENIED, "no descriptor can be handed to %s", link_peer(c->link));
	err e = semaphore_take(&c->descriptors_out, deadline);
	if (e != OK)
		return e;
	f->fds_n = fds->n;
	f->ticket = c->ticket_out;
	e = c->alive ? send_descriptors(c, fds, deadline) : link_away();
	if (e == OK)
		e = queued(c, frame_write(&c->out, f, r, data, fds));
	semaphore_give(&c->descriptors_out);
	return e;
}

err connection_send(struct connection *c, struct frame *f, const struct record *r, const void *data, nsec deadline)
{
	struct record_fds fds;

	if (!c->alive)
		return link_away();
	c->secrets |= call_is_secret(f->type);
	if (c->out.n + (c->writing.n - c->written) > BACKLOG_MAX)
		return queued(c, E_FULL);
	err e = frame_write(&c->out, f, r, data, &fds);
	if (e != E_BUSY)
		return queued(c, e);
	c->references++;
	e = send_with_descriptors(c, f, r, data, &fds, deadline);
	connection_unref(c);
	return e;
}

/* --- reading --- */

/* A frame that is not all in the stream's buffer. */
static err read_torn_frame(struct connection *c)
{
	char head[FRAME_LENGTH_SIZE];
	size_t n;
	err e = stream_read(c->stream, head, sizeof(head), RT_NEVER);

	if (e != OK)
		return e;
	if (!frame_length(str_make(head, sizeof(head)), &n))
		return E_SYNTAX;
	char *p = malloc(n);
	if (p == NULL)
		return E_MEMORY;
	e = stream_read(c->stream, p, n, RT_NEVER);
	if (e == OK && !serve_frame(c, str_make(p, n)))
		e = E_SYNTAX;
	if (frame_is_secret(str_make(p, n)))
		explicit_bzero(p, n);
	free(p);
	return e;
}

static err read_frame(struct connection *c)
{
	str have;
	size_t n;
	err e = stream_peek(c->stream, &have, RT_NEVER);

	if (e != OK)
		return e;
	if (have.n < FRAME_LENGTH_SIZE)
		return read_torn_frame(c);
	if (!frame_length(have, &n))
		return E_SYNTAX;
	if (have.n < FRAME_LENGTH_SIZE + n)
		return read_torn_frame(c);
	e = serve_frame(c, str_take(str_drop(have, FRAME_LENGTH_SIZE), n)) ? OK : E_SYNTAX;
	stream_consume(c->stream, FRAME_LENGTH_SIZE + n);
	return e;
}

static err wait_for_room(struct connection *c)
{
	err e = OK;

	while (e == OK && (c->serving_n >= SERVING_MAX || c->serving_bytes >= SERVING_BYTES_MAX)) {
		c->paused = true;
		e = rt_park(RT_NEVER);
		c->paused = false;
	}
	return e;
}

static void connection_end(struct connection *c)
{
	struct link *l = c->link;

	serve_cancel_all(c);
	while (c->writer != NULL)
		rt_yield(); /* it was cancelled */
	stream_close(c->stream);
	rt_fd_close(&c->descriptors);
	c->ended = true;
	if (!l->freed && l->service != NULL && l->service->closed != NULL)
		l->service->closed(l->service->ctx, l);
	if (!l->freed && l->watcher != NULL)
		l->watcher(l->watcher_ctx);
	if (l->awaited_by != NULL)
		rt_wake(l->awaited_by);
	connection_unref(c);
}

static void reader_run(void *arg)
{
	struct connection *c = arg;
	err e = OK;

	while (e == OK && c->alive) {
		e = read_frame(c);
		if (e == OK)
			e = wait_for_room(c);
	}
	if (e == E_SYNTAX)
		LOG(ERROR, "link.malformed", LOG_Z("peer", link_peer(c->link)));
	connection_abort(c);
	connection_end(c);
}

err connection_start(struct link *l, struct stream *stream, int descriptors_fd)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->reader = rt_spawn(reader_run, c, "link reader");
	if (c == NULL || c->reader == NULL) {
		free(c);
		return err_note(E_MEMORY, "no memory for a link to %s", l->peer);
	}
	c->link = l;
	c->stream = stream;
	stream_secret(stream);
	c->descriptors.fd = -1;
	if (descriptors_fd >= 0)
		rt_fd_init(&c->descriptors, descriptors_fd);
	semaphore_init(&c->descriptors_out, 1);
	c->out = c->writing = (struct buf){.cap = BACKLOG_MAX + 2 * FRAME_MAX, .secret = true};
	c->round = (struct rt_round){.fn = round_end, .arg = c};
	c->alive = true;
	c->references = 1;
	l->connection = c;
	l->connections++;
	return OK;
}
