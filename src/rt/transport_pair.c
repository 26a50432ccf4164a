/* SPDX-License-Identifier: ISC */
/* Two ends of a connection in memory. */
#include <stdlib.h>
#include <string.h>

#include "rt/co.h"
#include "rt/transport.h"

#define PIPE_SIZE ((size_t)64 << 10)

struct pipe { /* one direction */
	char *p;
	size_t at, n; /* a ring: n bytes from `at` on */
	struct co *reader, *writer;
	bool closed; /* by either end */
};

struct pair {
	struct pipe pipes[2];
	int ends;
	bool torn;
};

struct pair_end {
	struct pair *pair;
	struct pipe *in, *out;
};

/* How much of n moves at once. */
static size_t pair_piece(const struct pair *pair, size_t n)
{
	if (!pair->torn || n < 2)
		return n;

	uint64_t r = rt_random_u64();
	size_t most = r & 1 ? n : n < 8 ? n : 8; /* half of them tiny */

	return 1 + (size_t)(r >> 1) % most;
}

static void pipe_wake(struct co **waiter)
{
	if (*waiter)
		co_resume(*waiter, OK);
	*waiter = NULL;
}

static ssize_t pair_read(void *transport, char *p, size_t n)
{
	struct pair_end *end = transport;
	struct pipe *pipe = end->in;

	if (pipe->n == 0)
		return pipe->closed ? 0 : TRANSPORT_AGAIN;

	size_t straight = pipe->n < PIPE_SIZE - pipe->at ? pipe->n : PIPE_SIZE - pipe->at;
	size_t part = pair_piece(end->pair, n < straight ? n : straight);

	memcpy(p, pipe->p + pipe->at, part);
	pipe->at = (pipe->at + part) % PIPE_SIZE;
	pipe->n -= part;
	pipe_wake(&pipe->writer);
	return (ssize_t)part;
}

static ssize_t pair_write(void *transport, const char *p, size_t n)
{
	struct pair_end *end = transport;
	struct pipe *pipe = end->out;
	size_t to = (pipe->at + pipe->n) % PIPE_SIZE;
	size_t room = PIPE_SIZE - pipe->n;

	if (pipe->closed)
		return TRANSPORT_FAILED;
	if (room == 0)
		return TRANSPORT_AGAIN;
	if (room > PIPE_SIZE - to)
		room = PIPE_SIZE - to;

	size_t part = pair_piece(end->pair, n < room ? n : room);

	memcpy(pipe->p + to, p, part);
	pipe->n += part;
	pipe_wake(&pipe->reader);
	return (ssize_t)part;
}

static err pair_wait(struct co **waiter, nsec deadline)
{
	*waiter = rt_self();

	err e = co_wait(CO_BLOCKED, deadline);

	*waiter = NULL;
	return e;
}

static err pair_wait_readable(void *transport, nsec deadline)
{
	struct pair_end *end = transport;

	if (end->in->n > 0 || end->in->closed)
		return OK;
	return pair_wait(&end->in->reader, deadline);
}

static err pair_wait_writable(void *transport, nsec deadline)
{
	struct pair_end *end = transport;

	if (end->out->n < PIPE_SIZE || end->out->closed)
		return OK;
	return pair_wait(&end->out->writer, deadline);
}

static err pair_finish(void *transport, str bytes, nsec deadline)
{
	struct pair_end *end = transport;
	err e = OK;

	while (bytes.n > 0 && e == OK) {
		ssize_t n = pair_write(end, bytes.p, bytes.n);

		if (n > 0)
			bytes = str_drop(bytes, (size_t)n);
		else
			e = n == TRANSPORT_AGAIN ? pair_wait_writable(end, deadline)
			                         : err_note(E_CLOSED, "connection lost while writing");
	}
	end->out->closed |= e == OK;
	pipe_wake(&end->out->reader);
	return e;
}

static void pair_free(struct pair *pair)
{
	free(pair->pipes[0].p);
	free(pair->pipes[1].p);
	free(pair);
}

static void pair_close(void *transport)
{
	struct pair_end *end = transport;
	struct pair *pair = end->pair;

	end->in->closed = end->out->closed = true;
	pipe_wake(&end->out->reader);
	pipe_wake(&end->in->writer);
	free(end);
	if (--pair->ends == 0)
		pair_free(pair);
}

static const struct transport transport_pair = {
	.read = pair_read,
	.write = pair_write,
	.wait_readable = pair_wait_readable,
	.wait_writable = pair_wait_writable,
	.close = pair_close,
	.finish = pair_finish,
};

static struct pair *pair_create(bool torn)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	if (pair == NULL)
		return NULL;
	pair->torn = torn;
	pair->ends = 2;
	pair->pipes[0].p = malloc(PIPE_SIZE);
	pair->pipes[1].p = malloc(PIPE_SIZE);
	if (pair->pipes[0].p && pair->pipes[1].p)
		return pair;
	pair_free(pair);
	return NULL;
}

bool stream_pair(struct stream **a, struct stream **b, size_t read_max, bool torn)
{
	struct pair *pair = pair_create(torn);
	struct pair_end *ends[2] = {malloc(sizeof(*ends[0])), malloc(sizeof(*ends[1]))};

	if (pair == NULL || ends[0] == NULL || ends[1] == NULL) {
		if (pair)
			pair_free(pair);
		free(ends[0]);
		free(ends[1]);
		return false;
	}
	*ends[0] = (struct pair_end){pair, &pair->pipes[0], &pair->pipes[1]};
	*ends[1] = (struct pair_end){pair, &pair->pipes[1], &pair->pipes[0]};
	*a = stream_open(&transport_pair, ends[0], read_max);
	*b = stream_open(&transport_pair, ends[1], read_max);
	if (*a && *b)
		return true;
	stream_close(*a);
	stream_close(*b);
	return false;
}
