/* SPDX-License-Identifier: ISC */
/* oauth - knows whether a token is good: asks those who issue them, or has their keys. There only when the configuration says whom to ask. */
#include "base/log.h"
#include "oauth/validator.h"
#include "role/process.h"
#include "role/trust_files.h"

struct oauth {
	struct validator *validator;
	struct link_service for_keys;
};

static err serve_token(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *a)
{
	const struct process *p = ctx;

	return validator_ask(((const struct oauth *)p->state)->validator, request, reply, a);
}

static err oauth_start(struct process *p)
{
	struct oauth *o = arena_alloc(&p->memory, sizeof(*o));
	struct outside outside = {.resolver.link = process_sibling(p, STR("resolve"), 0)};

	if (o != NULL && outside.resolver.link != NULL)
		o->validator = validator_new(&outside);
	if (o == NULL || o->validator == NULL)
		return err_note(E_MEMORY, "no memory for tokens");
	o->for_keys = (struct link_service){.ctx = p};
	o->for_keys.handlers[CALL_token] = serve_token;
	p->state = o;
	return OK;
}

static void oauth_configured(struct process *p)
{
	const struct oauth *o = p->state;

	if (validator_configure(o->validator, p->config, NULL) != OK)
		LOG(ERROR, "oauth.failed", LOG_Z("error", err_info()->text));
}

static err oauth_certify(struct process *p, const struct certify_request *q)
{
	const struct oauth *o = p->state;
	struct setup_files files = {0};

	for (size_t i = 0; i < q->files_n; i++)
		if (str_equal(q->files[i].name, TRUST_AUTHORITIES))
			files.authorities = q->files[i].text;
		else if (str_equal(q->files[i].name, TRUST_CLIENT_SECRET))
			files.secret = q->files[i].text;
	return validator_configure(o->validator, p->config, &files);
}

static const struct link_service *oauth_service(struct process *p, str sibling)
{
	struct oauth *o = p->state;

	return o != NULL && str_equal(sibling, STR("keys")) ? &o->for_keys : NULL;
}

static void oauth_close(struct process *p)
{
	validator_free(((struct oauth *)p->state)->validator);
}

const struct role_type role_oauth = {
	.name = "oauth",
	.trusts = true,
	.start = oauth_start,
	.configured = oauth_configured,
	.service = oauth_service,
	.certify = oauth_certify,
	.close = oauth_close,
};
