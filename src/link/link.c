/* SPDX-License-Identifier: ISC */
#include "link/link.h"

#include <stdlib.h>
#include <unistd.h>

#include "link/connection.h"

#define STREAM_BUFFER ((size_t)1 << 20)

struct link *link_new(const char *peer, const struct link_service *service)
{
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->peer = strdup(peer);
	l->service = service;
	if (l->peer != NULL)
		return l;
	free(l);
	return NULL;
}

void link_watch(struct link *l, void (*ended)(void *ctx), void *ctx)
{
	l->watcher = ended;
	l->watcher_ctx = ctx;
}

bool link_up(const struct link *l)
{
	return l->connection != NULL;
}

const char *link_peer(const struct link *l)
{
	return l->peer;
}

size_t link_calls_in_the_air(const struct link *l)
{
	return l->connection == NULL ? 0 : l->connection->waiting.n + l->connection->serving_n;
}

/* A coroutine that is cancelled itself still has to see the end: it is near, as all that the connection runs was cancelled too. */
static void wait_once(void)
{
	if (rt_park(RT_NEVER) != OK)
		rt_yield();
}

/* The old connection ends first, so that `closed` is called before anything comes over the new one. */
static void close_connection(struct link *l)
{
	struct connection *c = l->connection;

	if (c == NULL)
		return;
	c->references++;
	connection_abort(c);
	l->awaited_by = rt_self();
	while (!c->ended)
		wait_once();
	l->awaited_by = NULL;
	connection_unref(c);
}

void link_detach(struct link *l)
{
	close_connection(l);
}

static err attach(struct link *l, struct stream *stream, int descriptors_fd)
{
	err e = stream == NULL ? err_note(E_MEMORY, "no memory for a link to %s", l->peer) : OK;

	if (e == OK) {
		close_connection(l);
		e = connection_start(l, stream, descriptors_fd);
	}
	if (e == OK)
		return OK;
	stream_close(stream);
	if (descriptors_fd >= 0)
		close(descriptors_fd);
	return e;
}

err link_attach_stream(struct link *l, struct stream *s)
{
	return attach(l, s, -1);
}

err link_attach(struct link *l, int stream_fd, int descriptors_fd)
{
	return attach(l, stream_open_fd(stream_fd, STREAM_BUFFER), descriptors_fd);
}

void link_free(struct link *l)
{
	if (l == NULL)
		return;
	l->freed = true;
	if (l->connection != NULL)
		connection_abort(l->connection);
	l->awaited_by = rt_self();
	while (l->connections > 0)
		wait_once();
	free(l->peer);
	free(l);
}

static err wait_for_reply(struct connection *c, struct waiting *w, nsec deadline)
{
	struct frame cancel = {.kind = FRAME_CANCEL, .id = w->id};
	err e = OK;

	w->co = rt_self();
	while (!w->done && e == OK)
		e = rt_park(deadline);
	if (w->done) {
		const struct err_info *i = &w->info;
		if (i->code == OK)
			return OK;
		err code = i->code == E_CANCELLED ? E_TEMP : i->code; /* the peer was, not we */
		return err_set(code, i->reply, i->status[0] == '\0' ? NULL : i->status, "%s", i->text);
	}
	waiting_remove(&c->waiting, w);
	(void)!connection_send(c, &cancel, NULL, NULL, RT_NEVER);
	return e == E_TIMEOUT ? err_set(e, 451, "4.3.0", "a part of the mail system took too long, try again") : e;
}

err link_call(struct link *l, enum call type, const void *request, void *reply, struct arena *arena, nsec deadline)
{
	struct frame f = {.kind = FRAME_CALL, .type = type};
	struct waiting w = {.type = type, .reply = reply, .arena = arena};
	struct connection *c = l == NULL ? NULL : l->connection;

	record_init(call_types[type].reply, reply);
	if (c == NULL)
		return link_away();
	if (rt_cancelled())
		return err_note(E_CANCELLED, "cancelled");
	err e = waiting_add(&c->waiting, &w);
	if (e != OK)
		return e;
	f.id = w.id;
	c->references++;
	e = connection_send(c, &f, call_types[type].request, request, deadline);
	if (e == OK)
		e = wait_for_reply(c, &w, deadline);
	else if (!w.done)
		waiting_remove(&c->waiting, &w);
	connection_unref(c);
	return e;
}

err link_tell(struct link *l, enum call type, const void *request)
{
	struct frame f = {.kind = FRAME_CALL, .id = FRAME_NO_REPLY, .type = type};
	struct connection *c = l == NULL ? NULL : l->connection;

	return c == NULL ? link_away() : connection_send(c, &f, call_types[type].request, request, RT_NEVER);
}

struct link *peers_filter(struct peers *p)
{
	struct link *l = NULL;

	for (size_t i = 0; i < p->filters_n && (l == NULL || !link_up(l)); i++)
		l = p->filters[p->next_filter++ % p->filters_n];
	return l;
}
