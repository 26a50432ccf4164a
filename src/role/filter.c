/* SPDX-License-Identifier: ISC */
/* filter - looks at messages. Owns nothing: what it reads is in the call, what it says is in the reply. */
#include "mail/inspect.h"
#include "role/process.h"

static err serve_inspect(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;
	const struct inspect_options options = {
		.hops = p->config->limits.hops, .hostname = p->config->hostname, .at = rt_wall()};

	return inspect_message(request, &options, reply, a);
}

static err filter_start(struct process *p)
{
	struct link_service *s = arena_alloc(&p->memory, sizeof(*s));

	if (s == NULL)
		return err_note(E_MEMORY, "no memory for the filter");
	*s = (struct link_service){.ctx = p};
	s->handlers[CALL_inspect] = serve_inspect;
	p->state = s;
	return OK;
}

static const struct link_service *filter_service(struct process *p, str sibling)
{
	return str_equal(sibling, STR("edge")) ? p->state : NULL;
}

const struct role_type role_filter = {
	.name = "filter",
	.start = filter_start,
	.service = filter_service,
};
