/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/pool.h"
#include "rt/stream.h"
#include "rt/transport.h"

#define WRITE_TIMEOUT (300 * NSEC_PER_SEC)
#define READ_AT_LEAST ((size_t)4 << 10) /* no smaller reads for want of room, while the buffer may still grow */
#define READ_STREAK   16                /* reads without a wait, then the others get a turn */
#define LAST_MAX      ((size_t)4 << 10) /* output that leaves together with the end */

struct stream {
	const struct transport *ops;
	void *t;
	char *in; /* NULL while there is no input; bytes from in_at up to in_end */
	size_t in_at, in_end, in_size;
	size_t in_used; /* bytes of `in` that ever were input */
	size_t read_max;
	char *out; /* NULL while there is no output; bytes from out_at up to out_end */
	size_t out_at, out_end, out_size;
	nsec write_timeout;
	int fd;
	err error;
	bool write_over; /* it failed, or was finished */
	bool flushing;   /* by a coroutine that may wait; another one may read meanwhile */
	bool polled_dry; /* stream_poll just found nothing: the next read need not try before it waits */
	bool secret;     /* output is wiped */
	bool plenty;     /* the last read filled its buffer: take a larger one next time */
	uint8_t streak;
};

struct stream *stream_open(const struct transport *ops, void *t, size_t read_max)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		ops->close(t);
		return NULL;
	}
	s->ops = ops;
	s->t = t;
	s->read_max = read_max;
	s->write_timeout = WRITE_TIMEOUT;
	s->fd = -1;
	return s;
}

struct stream *stream_open_fd(int fd, size_t read_max)
{
	void *t = transport_fd_open(fd);
	struct stream *s = t ? stream_open(&transport_fd, t, read_max) : NULL;

	if (s)
		s->fd = fd;
	return s;
}

static void stream_give_in(struct stream *s)
{
	if (s->in_used > 0)
		explicit_bzero(s->in, s->in_used);
	s->in_used = 0;
	pool_give(s->in, s->in_size);
	s->in = NULL;
}

static void stream_drop_in(struct stream *s)
{
	stream_give_in(s);
	s->in_at = s->in_end = s->in_size = 0;
}

static void stream_give_out(struct stream *s)
{
	if (s->secret && s->out)
		explicit_bzero(s->out, s->out_end);
	pool_give(s->out, s->out_size);
	s->out = NULL;
}

static void stream_drop_out(struct stream *s)
{
	stream_give_out(s);
	s->out_at = s->out_end = s->out_size = 0;
}

void stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	s->ops->close(s->t);
	stream_drop_in(s);
	stream_drop_out(s);
	free(s);
}

err stream_error(const struct stream *s)
{
	return s->error;
}

int stream_fd(const struct stream *s)
{
	return s->fd;
}

void stream_write_timeout(struct stream *s, nsec duration)
{
	s->write_timeout = duration;
}

void stream_secret(struct stream *s)
{
	s->secret = true;
}

struct carrier stream_carrier(const struct stream *s)
{
	return (struct carrier){s->ops, s->t};
}

void stream_set_carrier(struct stream *s, struct carrier carrier)
{
	stream_drop_in(s);
	s->ops = carrier.ops;
	s->t = carrier.t;
	s->polled_dry = s->plenty = false;
}

/* The first error stays. */
err stream_fail(struct stream *s, err e)
{
	if (s->error == OK)
		s->error = e;
	return s->error;
}

static err stream_fail_write(struct stream *s, err e)
{
	s->write_over = true;
	stream_drop_out(s);
	return stream_fail(s, e);
}

/* Output. */

/* Writes `bytes`, all of it if `wait`; what is left over if not. */
static err stream_send(struct stream *s, str *bytes, bool wait)
{
	while (bytes->n > 0) {
		ssize_t n = s->ops->write(s->t, bytes->p, bytes->n);

		if (n > 0) {
			*bytes = str_drop(*bytes, (size_t)n);
			continue;
		}
		if (n != TRANSPORT_AGAIN)
			return stream_fail_write(s, err_note(E_CLOSED, "connection lost while writing"));
		if (!wait)
			return OK;

		err e = s->ops->wait_writable(s->t, rt_after(s->write_timeout));

		if (e != OK)
			return stream_fail_write(s, e);
	}
	return OK;
}

err stream_flush(struct stream *s)
{
	if (s->out && !s->flushing) {
		str rest = str_make(s->out + s->out_at, s->out_end - s->out_at);

		s->flushing = true;
		(void)!stream_send(s, &rest, s->error == OK);
		s->flushing = false;
		if (s->out && rest.n == 0)
			stream_drop_out(s);
		else if (s->out)
			s->out_at = s->out_end - rest.n;
	}
	return s->error;
}

err stream_finish(struct stream *s)
{
	if (s->out_end - s->out_at > LAST_MAX || s->error != OK || s->ops->finish == NULL)
		(void)!stream_flush(s);
	if (s->error != OK || s->write_over || s->ops->finish == NULL)
		return s->error;

	str last = s->out ? str_make(s->out + s->out_at, s->out_end - s->out_at) : STR_NONE;
	err e = s->ops->finish(s->t, last, rt_after(s->write_timeout));

	if (e != OK)
		return stream_fail_write(s, e);
	s->write_over = true;
	stream_drop_out(s);
	return OK;
}

static bool stream_grow_out(struct stream *s, size_t size)
{
	char *grown = pool_take(size);

	if (grown == NULL) {
		stream_fail_write(s, err_note(E_MEMORY, "no memory for output"));
		return false;
	}
	if (s->out)
		memcpy(grown, s->out + s->out_at, s->out_end - s->out_at);
	stream_give_out(s);
	s->out = grown;
	s->out_end -= s->out_at;
	s->out_at = 0;
	s->out_size = size;
	return true;
}

/* Room for at least one byte more, better for `want`. False: the stream takes no more. */
static bool stream_room_out(struct stream *s, size_t want)
{
	if (s->write_over)
		return false;
	if (s->out_end + want <= s->out_size)
		return true;
	if (s->out_size < POOL_LARGE)
		return stream_grow_out(s, s->out_end - s->out_at + want <= POOL_SMALL ? POOL_SMALL : POOL_LARGE);
	if (s->out_end < s->out_size)
		return true;
	return stream_flush(s) == OK && stream_grow_out(s, POOL_LARGE);
}

void stream_put(struct stream *s, str bytes)
{
	while (bytes.n > 0 && stream_room_out(s, bytes.n)) {
		str part = str_take(bytes, s->out_size - s->out_end);

		memcpy(s->out + s->out_end, part.p, part.n);
		s->out_end += part.n;
		bytes = str_drop(bytes, part.n);
	}
}

void stream_printf(struct stream *s, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	n = s->out ? vsnprintf(s->out + s->out_end, s->out_size - s->out_end, fmt, ap) : -1;
	va_end(ap);
	if (n >= 0 && (size_t)n < s->out_size - s->out_end) {
		s->out_end += (size_t)n;
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		stream_fail_write(s, err_note(E_MEMORY, "no memory for output"));
		return;
	}
	stream_put(s, str_make(text, (size_t)n));
	free(text);
}

/* Input. */

str stream_buffered(const struct stream *s)
{
	return s->in ? str_make(s->in + s->in_at, s->in_end - s->in_at) : STR_NONE;
}

void stream_consume(struct stream *s, size_t n)
{
	size_t have = s->in_end - s->in_at;

	s->in_at += n < have ? n : have;
}

void stream_discard_input(struct stream *s)
{
	stream_drop_in(s);
}

static size_t stream_next_in_size(const struct stream *s)
{
	size_t size = s->in_size ? s->in_size * 4 : s->plenty ? POOL_LARGE : POOL_SMALL;

	return size < s->read_max ? size : s->read_max;
}

/* Room behind the bytes that are there; the whole buffer when there are none. */
static bool stream_room_in(struct stream *s)
{
	size_t have = s->in_end - s->in_at;

	if (have == 0 && s->plenty && s->in_size < POOL_LARGE)
		stream_drop_in(s);
	if (have == 0)
		s->in_at = s->in_end = 0;
	if (s->in_size - s->in_end >= READ_AT_LEAST)
		return true;
	if (s->in && have < s->in_size && (s->in_size - have >= READ_AT_LEAST || s->in_size >= s->read_max)) {
		memmove(s->in, s->in + s->in_at, have);
	} else {
		size_t size = stream_next_in_size(s);
		char *grown = pool_take(size);

		if (grown == NULL)
			return false;
		if (s->in)
			memcpy(grown, s->in + s->in_at, have);
		stream_give_in(s);
		s->in = grown;
		s->in_size = size;
		s->in_used = have;
	}
	s->in_at = 0;
	s->in_end = have;
	return true;
}

static err stream_wait_in(struct stream *s, nsec deadline)
{
	if (s->in_at == s->in_end)
		stream_drop_in(s);
	s->streak = 0;

	err e = stream_flush(s);

	if (e == OK)
		e = s->ops->wait_readable(s->t, deadline);
	return e == OK ? OK : stream_fail(s, e);
}

static err stream_end_in(struct stream *s, ssize_t n)
{
	if (n == 0)
		(void)stream_flush(s); /* who only closed his sending side still reads */
	return stream_fail(s,
	                   err_note(E_CLOSED, n == 0 ? "peer closed the connection" : "connection lost while reading"));
}

/* A peer that sends faster than is read never makes us wait, and has to end all the same. */
static err stream_share_loop(struct stream *s, nsec deadline)
{
	if (++s->streak < READ_STREAK || rt_self() == NULL)
		return OK;
	s->streak = 0;
	rt_yield();
	return rt_now() < deadline ? OK : stream_fail(s, err_note(E_TIMEOUT, "timed out"));
}

/* At least one byte into p[0 .. size), or into the buffer when p is NULL; waits for it. */
static err stream_receive(struct stream *s, char *p, size_t size, size_t *got, nsec deadline)
{
	ssize_t n;

	do {
		if (p == NULL && !stream_room_in(s))
			return stream_fail(s, err_note(E_MEMORY, "no memory for input"));

		size_t room = p ? size : s->in_size - s->in_end;

		n = s->polled_dry ? TRANSPORT_AGAIN : s->ops->read(s->t, p ? p : s->in + s->in_end, room);
		s->polled_dry = false;
		if (n > 0) {
			if (p == NULL)
				s->plenty = (size_t)n == room;
			*got = (size_t)n;
			return stream_share_loop(s, deadline);
		}
		if (n != TRANSPORT_AGAIN)
			return stream_end_in(s, n);
	} while (stream_wait_in(s, deadline) == OK);
	return s->error;
}

/* Behind the input there are `n` bytes more. */
static void stream_took(struct stream *s, size_t n)
{
	s->in_end += n;
	if (s->in_used < s->in_end)
		s->in_used = s->in_end;
}

static err stream_fill(struct stream *s, nsec deadline)
{
	size_t got;
	err e = s->error ? s->error : stream_receive(s, NULL, 0, &got, deadline);

	if (e == OK)
		stream_took(s, got);
	return e;
}

str stream_poll(struct stream *s)
{
	if (s->error == OK && s->in_at == s->in_end && stream_room_in(s)) {
		ssize_t n = s->ops->read(s->t, s->in, s->in_size);

		if (n > 0)
			stream_took(s, (size_t)n);
		else
			stream_drop_in(s); /* the end of the input is for the next read to find */
		s->polled_dry = n == TRANSPORT_AGAIN;
	}
	return stream_buffered(s);
}

err stream_peek(struct stream *s, str *bytes, nsec deadline)
{
	err e = s->error;

	if (e == OK && s->in_at == s->in_end)
		e = stream_fill(s, deadline);
	*bytes = e == OK ? stream_buffered(s) : STR_NONE;
	return e;
}

err stream_read(struct stream *s, char *p, size_t n, nsec deadline)
{
	str have = str_take(stream_buffered(s), n);

	if (s->error)
		return s->error;
	if (have.n > 0)
		memcpy(p, have.p, have.n);
	stream_consume(s, have.n);
	for (size_t at = have.n, got; at < n; at += got) {
		err e = stream_receive(s, p + at, n - at, &got, deadline);

		if (e != OK)
			return e;
	}
	return OK;
}

/* Throws a line away whose end has not been seen yet. */
static err stream_skip_line(struct stream *s, nsec deadline)
{
	err e = OK;

	while (e == OK) {
		str have = stream_buffered(s);
		size_t end = str_find(have, '\n');

		stream_consume(s, end + 1); /* all when there is none */
		if (end < have.n)
			return err_note(E_LIMIT, "line too long");
		e = stream_fill(s, deadline);
	}
	return e;
}

err stream_read_line(struct stream *s, size_t max, str *line, nsec deadline)
{
	err e = s->error;
	size_t limit = max < s->read_max ? max : s->read_max;

	*line = STR_NONE;
	for (size_t seen = 0; e == OK; e = stream_fill(s, deadline)) {
		str have = stream_buffered(s);
		size_t end = seen + str_find(str_drop(have, seen), '\n');

		if (end < have.n && end < limit) {
			*line = str_take(have, end + 1);
			stream_consume(s, end + 1);
			return OK;
		}
		if (end >= limit)
			return stream_skip_line(s, deadline);
		seen = have.n;
	}
	return e;
}
