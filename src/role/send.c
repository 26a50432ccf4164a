/* SPDX-License-Identifier: ISC */
/* send - speaks with the servers of others: mail leaves from here, and inner servers are asked for their recipients. */
#include "relay/relay.h"
#include "role/process.h"

struct send {
	struct relay *relay;
	struct link_service for_edge;
	bool started;
};

static err serve_callout(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;

	return relay_callout(((const struct send *)p->state)->relay, request, reply, a);
}

static err send_start(struct process *p)
{
	struct send *s = arena_alloc(&p->memory, sizeof(*s));
	struct relay_options o = {.config = p->config,
	                          .store = process_sibling(p, STR("store"), 0),
	                          .resolver.link = process_sibling(p, STR("resolve"), 0),
	                          .keys = process_sibling(p, STR("keys"), 0)};

	if (s == NULL || o.store == NULL || o.resolver.link == NULL || o.keys == NULL)
		return err_note(E_MEMORY, "no memory for the sender");
	err e = relay_new(&o, &s->relay);
	if (e != OK)
		return e;
	s->for_edge = (struct link_service){.ctx = p};
	s->for_edge.handlers[CALL_callout] = serve_callout;
	p->state = s;
	return OK;
}

static void send_configured(struct process *p)
{
	relay_configure(((struct send *)p->state)->relay, p->config);
}

/* The first time mail begins to leave: before, nobody could be believed. */
static err send_certify(struct process *p, const struct certify_request *q)
{
	struct send *s = p->state;
	err e = relay_certify(s->relay, q);

	if (e == OK && !s->started)
		e = relay_start(s->relay);
	s->started |= e == OK;
	return e;
}

static const struct link_service *send_service(struct process *p, str sibling)
{
	struct send *s = p->state;

	return s != NULL && str_equal(sibling, STR("edge")) ? &s->for_edge : NULL;
}

static void send_drain(struct process *p, nsec deadline)
{
	relay_drain(((struct send *)p->state)->relay, deadline);
}

static void send_stop(struct process *p)
{
	relay_stop(((struct send *)p->state)->relay);
}

static void send_close(struct process *p)
{
	relay_free(((struct send *)p->state)->relay);
}

const struct role_type role_send = {
	.name = "send",
	.works = true, /* a server may ask for many rounds of SCRAM */
	.trusts = true,
	.start = send_start,
	.configured = send_configured,
	.service = send_service,
	.certify = send_certify,
	.drain = send_drain,
	.stop = send_stop,
	.close = send_close,
};
