/* SPDX-License-Identifier: ISC */
/* resolve - asks the DNS for all others, validates and remembers. */
#include "base/log.h"
#include "dns/recursor.h"
#include "role/process.h"
#include "role/trust_files.h"

#define ANSWER_TIME (20 * NSEC_PER_SEC)

struct resolve {
	struct recursor *recursor; /* NULL before the first `certify` */
	struct config *config;     /* it was made with this */
	struct buf anchor;         /* and this */
	struct link_service for_others;
};

static err serve_resolve(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;
	const struct resolve *r = p->state;

	if (r->recursor == NULL)
		return err_set(E_TEMP, 451, "4.4.3", "the resolver is being started");
	return recursor_ask(r->recursor, request, reply, a, rt_after(ANSWER_TIME));
}

static bool same_resolvers(const struct config *a, const struct config *b)
{
	bool same = a->resolvers_n == b->resolvers_n;

	for (size_t i = 0; i < a->resolvers_n && same; i++)
		same = a->resolvers[i].n == b->resolvers[i].n &&
		       memcmp(&a->resolvers[i].sa, &b->resolvers[i].sa, a->resolvers[i].n) == 0;
	return same;
}

/* A new one, which remembers nothing; what is in the air stays with the old one. */
static err renew(struct resolve *r, struct config *c, str anchor)
{
	struct recursor *fresh;
	const struct recursor_options o = {c->resolvers, c->resolvers_n, anchor};
	struct buf copy = BUF_INIT(anchor.n + 1);

	buf_put(&copy, anchor);
	err e = copy.full ? err_note(E_MEMORY, "no memory for a trust anchor") : recursor_new(&o, &fresh);
	if (e != OK) {
		buf_free(&copy);
		return e;
	}
	recursor_free(r->recursor);
	r->recursor = fresh;
	config_release(r->config);
	r->config = config_hold(c);
	buf_free(&r->anchor);
	r->anchor = copy;
	return OK;
}

static void resolve_configured(struct process *p)
{
	struct resolve *r = p->state;

	if (r->recursor == NULL || same_resolvers(r->config, p->config))
		return;
	if (renew(r, p->config, buf_str(&r->anchor)) != OK)
		LOG(ERROR, "resolve.failed", LOG_Z("error", err_info()->text));
}

static err resolve_certify(struct process *p, const struct certify_request *q)
{
	struct resolve *r = p->state;
	str anchor = STR_NONE; /* the root's */

	for (size_t i = 0; i < q->files_n; i++)
		if (str_equal(q->files[i].name, TRUST_ANCHOR))
			anchor = q->files[i].text;
	if (r->recursor != NULL && str_equal(anchor, buf_str(&r->anchor)))
		return OK;
	return renew(r, p->config, anchor);
}

static err resolve_start(struct process *p)
{
	struct resolve *r = arena_alloc(&p->memory, sizeof(*r));

	if (r == NULL)
		return err_note(E_MEMORY, "no memory for the resolver");
	r->for_others = (struct link_service){.ctx = p};
	r->for_others.handlers[CALL_resolve] = serve_resolve;
	p->control.handlers[CALL_resolve] = serve_resolve; /* `pombo dns lookup` */
	p->state = r;
	return OK;
}

static const struct link_service *resolve_service(struct process *p, str sibling UNUSED)
{
	struct resolve *r = p->state;

	return r == NULL ? NULL : &r->for_others;
}

static void resolve_close(struct process *p)
{
	struct resolve *r = p->state;

	recursor_free(r->recursor);
	config_release(r->config);
	buf_free(&r->anchor);
}

const struct role_type role_resolve = {
	.name = "resolve",
	.trusts = true,
	.start = resolve_start,
	.configured = resolve_configured,
	.service = resolve_service,
	.certify = resolve_certify,
	.close = resolve_close,
};
