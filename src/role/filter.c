/* SPDX-License-Identifier: ISC */
/* filter - looks at messages: who sent them, are they wanted, what signs ours. Reads what anybody wrote, and owns nothing. */
#include "filter/filter.h"

#include "role/process.h"

struct filter_role {
	struct filter *filter;
	struct link_service for_edge;
};

static err serve_inspect(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;

	return filter_inspect(((const struct filter_role *)p->state)->filter, request, reply, a);
}

static err filter_role_start(struct process *p)
{
	struct filter_role *r = arena_alloc(&p->memory, sizeof(*r));
	struct filter_options o = {.config = p->config,
	                           .store = process_sibling(p, STR("store"), 0),
	                           .keys = process_sibling(p, STR("keys"), 0),
	                           .monitor = p->monitor,
	                           .resolver.link = process_sibling(p, STR("resolve"), 0)};

	if (r == NULL || o.store == NULL || o.keys == NULL || o.resolver.link == NULL)
		return err_note(E_MEMORY, "no memory for the filter");
	err e = filter_new(&o, &r->filter);
	if (e != OK)
		return e;
	r->for_edge = (struct link_service){.ctx = p};
	r->for_edge.handlers[CALL_inspect] = serve_inspect;
	p->state = r;
	return filter_start(r->filter);
}

static void filter_role_configured(struct process *p)
{
	filter_configure(((struct filter_role *)p->state)->filter, p->config);
}

static err filter_role_certify(struct process *p, const struct certify_request *q)
{
	return filter_certify(((struct filter_role *)p->state)->filter, q);
}

static const struct link_service *filter_role_service(struct process *p, str sibling)
{
	struct filter_role *r = p->state;

	return r != NULL && str_equal(sibling, STR("edge")) ? &r->for_edge : NULL;
}

static void filter_role_stop(struct process *p)
{
	filter_stop(((struct filter_role *)p->state)->filter);
}

static void filter_role_close(struct process *p)
{
	filter_free(((struct filter_role *)p->state)->filter);
}

const struct role_type role_filter = {
	.name = "filter",
	.reads = true,
	.works = true, /* large bodies are hashed beside the loop */
	.start = filter_role_start,
	.configured = filter_role_configured,
	.service = filter_role_service,
	.certify = filter_role_certify,
	.stop = filter_role_stop,
	.close = filter_role_close,
};
