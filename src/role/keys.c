/* SPDX-License-Identifier: ISC */
/* keys - says whether somebody is who he claims to be. Asks the store what is kept of his password, verifies in a worker thread, and tells the
 * store which session may use the account. And it holds the private keys of TLS and of
 * domains: others send what is to be signed. */
#include "role/process.h"
#include "role/signing.h"
#include "sasl/service.h"

struct keys {
	struct sasl_service *sasl;
	struct signing signing;
	struct link_service for_edge, for_signers; /* signers: filter and send, for keys of domains */
};

static err serve_auth(void *ctx, struct link *from, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;
	const struct keys *k = p->state;

	return sasl_serve(k->sasl, link_peer(from), request, reply, a);
}

static void edge_gone(void *ctx, struct link *l)
{
	const struct process *p = ctx;
	const struct keys *k = p->state;

	sasl_service_process_gone(k->sasl, link_peer(l));
}

static void keys_configured(struct process *p)
{
	const struct keys *k = p->state;

	if (k != NULL)
		sasl_service_configure(k->sasl, p->config);
}

static err serve_sign(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;

	return signing_serve(&((const struct keys *)p->state)->signing, request, reply, a);
}

static err serve_sign_domain(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;

	return signing_serve_domain(&((const struct keys *)p->state)->signing, request, reply, a);
}

static err keys_certify(struct process *p, const struct certify_request *q)
{
	return signing_replace(&((struct keys *)p->state)->signing, q);
}

static err keys_start(struct process *p)
{
	struct keys *k = arena_alloc(&p->memory, sizeof(*k));
	struct link *store = process_sibling(p, STR("store"), 0), *oauth = process_sibling(p, STR("oauth"), 0);

	if (k != NULL && store != NULL && oauth != NULL)
		k->sasl = sasl_service_new(store, oauth);
	if (k == NULL || k->sasl == NULL)
		return err_note(E_MEMORY, "no memory for the keys");
	k->for_edge = (struct link_service){.ctx = p, .closed = edge_gone};
	k->for_edge.handlers[CALL_auth] = serve_auth;
	k->for_edge.handlers[CALL_sign] = serve_sign;
	k->for_signers = (struct link_service){.ctx = p};
	k->for_signers.handlers[CALL_sign] = serve_sign_domain;
	p->state = k;
	keys_configured(p);
	return OK;
}

static const struct link_service *keys_service(struct process *p, str sibling)
{
	struct keys *k = p->state;

	if (k == NULL)
		return NULL;
	if (str_equal(sibling, STR("edge")))
		return &k->for_edge;
	return str_equal(sibling, STR("filter")) || str_equal(sibling, STR("send")) ? &k->for_signers : NULL;
}

static void keys_close(struct process *p)
{
	signing_free(&((struct keys *)p->state)->signing);
	sasl_service_free(((struct keys *)p->state)->sasl);
}

const struct role_type role_keys = {
	.name = "keys",
	.works = true,
	.start = keys_start,
	.configured = keys_configured,
	.service = keys_service,
	.certify = keys_certify,
	.close = keys_close,
};
