/* SPDX-License-Identifier: ISC */
/* What to do with a frame that came: a call gets a coroutine, a reply wakes its caller, a cancel cancels. */
#include <stdlib.h>

#include "base/log.h"
#include "link/connection.h"

#define CALL_MEMORY   ((size_t)16 << 20)  /* of one call that is being served, its frame included */
#define REPLY_TIMEOUT (30 * NSEC_PER_SEC) /* for descriptors that go with a reply */

struct serving {
	struct connection *c;
	struct co *co;
	struct serving *next, **prev; /* in c->serving */
	uint64_t id;
	enum call type;
	bool cancelled;
	struct arena arena;
	str record;
	struct record_fds fds;
};

static err send_error(struct connection *c, uint64_t id, err e)
{
	struct frame f = {.kind = FRAME_REPLY, .id = id, .info = *err_info()};

	if (f.info.code != e)
		f.info = (struct err_info){.code = e};
	return connection_send(c, &f, NULL, NULL, RT_NEVER);
}

/* A reply that cannot be sent leaves the caller waiting for ever: then the connection is of no use. */
static void reply_error(struct connection *c, uint64_t id, err e)
{
	if (id != FRAME_NO_REPLY && send_error(c, id, e) != OK)
		connection_abort(c);
}

/* --- a call of the peer's --- */

static void serving_add(struct serving *v)
{
	struct connection *c = v->c;

	v->next = c->serving;
	v->prev = &c->serving;
	if (v->next != NULL)
		v->next->prev = &v->next;
	c->serving = v;
	c->serving_n++;
	c->serving_bytes += v->record.n;
	c->references++;
}

static void give_memory(struct serving *v)
{
	if (call_is_secret(v->type))
		arena_wipe(&v->arena);
	else
		arena_free(&v->arena);
}

static void serving_end(struct serving *v)
{
	struct connection *c = v->c;

	*v->prev = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	c->serving_n--;
	c->serving_bytes -= v->record.n;
	if (c->paused)
		rt_wake(c->reader);
	descriptors_close(&v->fds);
	give_memory(v);
	free(v);
	connection_unref(c);
}

static void serve_reply(struct serving *v, err e, const void *reply)
{
	struct frame f = {.kind = FRAME_REPLY, .id = v->id, .type = v->type};

	if (v->id == FRAME_NO_REPLY || v->cancelled || !v->c->alive)
		return;
	if (e == OK)
		e = connection_send(v->c, &f, call_types[v->type].reply, reply, rt_after(REPLY_TIMEOUT));
	if (e != OK)
		reply_error(v->c, v->id, e);
}

static void serve_handle(struct serving *v, void *request)
{
	const struct link_service *service = v->c->link->service;
	const struct record *r = call_types[v->type].reply;
	void *reply = arena_alloc(&v->arena, r->size);

	if (reply == NULL) {
		reply_error(v->c, v->id, err_set(E_LIMIT, 452, "4.3.1", "too much memory for one call"));
		return;
	}
	record_init(r, reply);
	serve_reply(v, service->handlers[v->type](service->ctx, v->c->link, request, reply, &v->arena), reply);
	record_release(r, reply);
}

static void serve_run(void *arg)
{
	struct serving *v = arg;
	const struct record *r = call_types[v->type].request;
	void *request = arena_alloc(&v->arena, r->size);
	struct cursor in = cursor_of(v->record);
	err e = request == NULL ? E_LIMIT : record_unpack(r, &in, request, &v->arena, &v->fds);

	if (e == OK) {
		serve_handle(v, request);
		record_release(r, request);
	} else if (e == E_LIMIT) {
		reply_error(v->c, v->id, err_set(E_LIMIT, 452, "4.3.1", "too much memory for one call"));
	} else {
		LOG(ERROR, "link.malformed", LOG_Z("peer", link_peer(v->c->link)),
		    LOG_Z("call", call_types[v->type].name));
		connection_abort(v->c);
	}
	serving_end(v);
}

static err serve_start(struct connection *c, const struct frame *f, struct record_fds *fds)
{
	struct serving *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return err_note(E_TEMP, "no memory for a call");
	v->c = c;
	v->id = f->id;
	v->type = f->type;
	v->arena = ARENA_INIT(CALL_MEMORY);
	v->record = arena_str(&v->arena, f->record);
	v->co = v->arena.full ? NULL : rt_spawn(serve_run, v, call_types[f->type].name);
	if (v->co == NULL) {
		give_memory(v);
		free(v);
		return err_note(E_TEMP, "no memory for a call");
	}
	v->fds = *fds;
	fds->n = 0; /* taken over */
	serving_add(v);
	return OK;
}

static bool serve_call(struct connection *c, const struct frame *f)
{
	const struct link_service *service = c->link->service;
	struct record_fds fds;

	if (!connection_take_descriptors(c, f, &fds))
		return false;
	err e = service == NULL || service->handlers[f->type] == NULL
	                ? err_note(E_DENIED, "%s may not be called here", call_types[f->type].name)
	                : serve_start(c, f, &fds);
	descriptors_close(&fds);
	if (e != OK)
		reply_error(c, f->id, e);
	return true;
}

static void serving_cancel(struct serving *v)
{
	v->cancelled = true;
	rt_cancel(v->co);
}

static bool serve_cancel(struct connection *c, uint64_t id)
{
	for (struct serving *v = c->serving; v != NULL; v = v->next)
		if (v->id == id)
			serving_cancel(v);
	return true;
}

void serve_cancel_all(struct connection *c)
{
	for (struct serving *v = c->serving; v != NULL; v = v->next)
		serving_cancel(v);
}

/* --- a reply to a call of ours --- */

static err unpack_reply(struct waiting *w, str record, struct record_fds *fds)
{
	str copy = arena_str(w->arena, record);
	struct cursor in = cursor_of(copy);

	if (w->arena->full)
		return err_note(E_LIMIT, "a reply of %zu octets is too large", record.n);
	return record_unpack(call_types[w->type].reply, &in, w->reply, w->arena, fds);
}

static bool serve_answer(struct connection *c, const struct frame *f, struct record_fds *fds)
{
	struct waiting *w = waiting_find(&c->waiting, f->id);
	struct err_info info = f->info;

	if (w == NULL) /* nobody waits for it any more */
		return true;
	if (info.code == OK) {
		err e = unpack_reply(w, f->record, fds);
		if (e == E_SYNTAX)
			return false;
		if (e != OK)
			info = *err_info();
	}
	waiting_finish(&c->waiting, w, &info);
	return true;
}

static bool serve_reply_frame(struct connection *c, const struct frame *f)
{
	struct record_fds fds;

	if (!connection_take_descriptors(c, f, &fds))
		return false;
	bool well_formed = serve_answer(c, f, &fds);
	descriptors_close(&fds);
	return well_formed;
}

bool serve_frame(struct connection *c, str bytes)
{
	struct frame f;

	if (!frame_parse(bytes, &f))
		return false;
	switch (f.kind) {
	case FRAME_CALL:
		return serve_call(c, &f);
	case FRAME_REPLY:
		return serve_reply_frame(c, &f);
	default:
		return serve_cancel(c, f.id);
	}
}
