/* SPDX-License-Identifier: ISC */
/* keys - says whether somebody is who he claims to be. Asks the store for the hash, verifies in a worker thread, and tells the store
 * which session may use the account. */
#include "role/process.h"
#include "sasl/login.h"

struct keys {
	struct login_service *login;
	struct link_service for_edge;
};

static err serve_login(void *ctx, struct link *from, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;
	const struct keys *k = p->state;

	return login_serve(k->login, link_peer(from), request, reply, a);
}

static err keys_start(struct process *p)
{
	struct keys *k = arena_alloc(&p->memory, sizeof(*k));
	struct link *store = process_sibling(p, STR("store"), 0);

	if (k != NULL && store != NULL)
		k->login = login_service_new(store);
	if (k == NULL || k->login == NULL)
		return err_note(E_MEMORY, "no memory for the keys");
	k->for_edge = (struct link_service){.ctx = p};
	k->for_edge.handlers[CALL_login] = serve_login;
	p->state = k;
	return OK;
}

static const struct link_service *keys_service(struct process *p, str sibling)
{
	struct keys *k = p->state;

	return k != NULL && str_equal(sibling, STR("edge")) ? &k->for_edge : NULL;
}

static void keys_close(struct process *p)
{
	login_service_free(((struct keys *)p->state)->login);
}

const struct role_type role_keys = {
	.name = "keys",
	.threads = true,
	.start = keys_start,
	.service = keys_service,
	.close = keys_close,
};
