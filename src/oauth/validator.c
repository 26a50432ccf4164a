/* SPDX-License-Identifier: ISC */
#include "oauth/validator.h"

#include <stdlib.h>

#include "oauth/answers.h"
#include "oauth/introspection.h"
#include "oauth/keyset.h"

#define ASK_TIME (10 * NSEC_PER_SEC) /* for one question to the outside, names and all */

enum { USEC_PER_SEC = 1000000, TOKEN_MEMORY = 128 << 10 };

struct validator {
	struct outside outside;
	struct setup *setup; /* NULL before the first validator_configure */
	struct keyset keys;
	struct answers answers;
};

struct validator *validator_new(const struct outside *outside)
{
	struct validator *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->outside = *outside;
	if (v->outside.fetch == NULL)
		v->outside.fetch = http_fetch;
	keyset_init(&v->keys);
	return v;
}

void validator_free(struct validator *v)
{
	if (v == NULL)
		return;
	keyset_free(&v->keys);
	setup_release(v->setup);
	answers_clear(&v->answers);
	free(v);
}

err validator_configure(struct validator *v, struct config *config, const struct setup_files *files)
{
	static const struct setup_files none;
	struct setup *fresh;
	err e = setup_new(config, files != NULL ? files : v->setup != NULL ? &v->setup->files : &none, &fresh);

	if (e != OK)
		return e;
	if (v->setup == NULL || !setup_same_oauth(v->setup, fresh)) {
		answers_clear(&v->answers);
		keyset_forget(&v->keys);
	}
	setup_release(v->setup);
	v->setup = fresh;
	return OK;
}

/* --- what is the same for both --- */

struct question {
	struct validator *v;
	struct setup *setup;
	str token;
	struct arena *memory;
};

static struct claims_rules rules_of(const struct question *x)
{
	const struct config_oauth *o = &x->setup->config->oauth;

	return (struct claims_rules){.issuer = o->issuer,
	                             .audience = o->audience,
	                             .user = o->user,
	                             .ends = o->kind == OAUTH_JWKS,
	                             .now = rt_wall() / USEC_PER_SEC};
}

/* --- introspection --- */

/* No longer than the token is valid. */
static void remember(const struct question *x, const struct claims *c)
{
	nsec left = (nsec)x->setup->config->oauth.cache;
	int64_t seconds = c->expires - rt_wall() / USEC_PER_SEC;

	if (x->v->setup != x->setup) /* it was asked by other rules */
		return;
	if (seconds < left / NSEC_PER_SEC)
		left = seconds * NSEC_PER_SEC;
	answers_put(&x->v->answers, x->token, c->user, rt_after(left));
}

static err introspect(const struct question *x, struct claims *c)
{
	struct claims_rules rules = rules_of(x);
	BUF(form, 64 << 10);
	str body;

	introspection_ask(x->token, &form);
	if (form.full)
		return err_note(E_DENIED, "the token is too long");
	err e = setup_fetch(x->setup, &x->v->outside, buf_str(&form), INTROSPECTION_MAX, &body, x->memory,
	                    rt_after(ASK_TIME));
	if (e == OK)
		e = introspection_read(body, &rules, x->memory, c);
	if (e == OK)
		remember(x, c);
	if (form.p != NULL)
		explicit_bzero(form.p, form.size);
	return e == E_SYNTAX || e == E_LIMIT ? E_TEMP : e; /* it is the server that is at fault */
}

static err by_introspection(const struct question *x, struct claims *c)
{
	c->user = answers_find(&x->v->answers, x->token, x->memory);
	return c->user.n > 0 ? OK : introspect(x, c);
}

/* --- signed tokens --- */

static err fetch_keys(void *ctx, struct jwks **out)
{
	const struct question *x = ctx;
	ARENA(a, JWKS_OCTETS_MAX + 4096);
	str body;
	err e = setup_fetch(x->setup, &x->v->outside, STR(""), JWKS_OCTETS_MAX, &body, &a, rt_after(ASK_TIME));

	return e == OK ? jwks_read(body, out) : e;
}

/* What a token says of itself is looked at first, as that costs least, and believed when its signature is right. */
static err by_signature(struct question *x, struct claims *c)
{
	struct claims_rules rules = rules_of(x);
	const struct keyset_source source = {x, fetch_keys};
	struct jwt t;
	err e = jwt_read(x->token, x->memory, &t);

	if (e == OK)
		e = claims_check(t.claims, &rules, x->memory, c);
	if (e == OK)
		e = keyset_verify(&x->v->keys, &t, &source);
	jwt_free(&t);
	return e == E_SYNTAX || e == E_LIMIT ? E_DENIED : e;
}

/* --- the call --- */

static err answer(err e, const struct claims *c, struct token_reply *r, struct arena *a)
{
	*r = (struct token_reply){.valid = e == OK};
	if (e == OK)
		r->user = arena_str(a, c->user);
	else if (e == E_DENIED)
		r->why = arena_str(a, str_from(err_info()->text));
	return e == E_DENIED ? OK : e;
}

err validator_ask(struct validator *v, const struct token_request *q, struct token_reply *r, struct arena *a)
{
	ARENA(memory, TOKEN_MEMORY);
	struct claims c = {0};

	if (v->setup == NULL || v->setup->config->oauth.kind == OAUTH_NONE)
		return err_set(E_TEMP, 454, "4.7.0", "nobody is configured who knows tokens");
	struct question x = {v, setup_hold(v->setup), q->token, &memory};
	err e = v->setup->config->oauth.kind == OAUTH_JWKS ? by_signature(&x, &c) : by_introspection(&x, &c);
	e = answer(e, &c, r, a);
	if (e != OK && e != E_CANCELLED) {
		struct err_info why = *err_info();
		e = err_set(E_TEMP, 454, "4.7.0", "%s", why.text);
	}
	setup_release(x.setup);
	return e;
}
