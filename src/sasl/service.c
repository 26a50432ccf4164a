/* SPDX-License-Identifier: ISC */
#include "sasl/step.h"

#include <stdlib.h>

enum {
	TOKENS_AT_ONCE = 50, /* that are asked about */
	TOKENS_QUEUE = 200,
	TOKENS_SHARE = 10 /* of one client */
};

struct sasl_service *sasl_service_new(struct link *store, struct link *oauth)
{
	struct sasl_service *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->store = store;
	s->oauth = oauth;
	turns_init(&s->tokens, TOKENS_AT_ONCE, TOKENS_QUEUE, TOKENS_SHARE);
	guess_init(&s->guess);
	verify_init(&s->verify, &s->guess);
	attempts_init(&s->attempts);
	return s;
}

void sasl_service_free(struct sasl_service *s)
{
	if (s == NULL)
		return;
	attempts_free(&s->attempts);
	turns_free(&s->tokens);
	verify_free(&s->verify);
	guess_free(&s->guess);
	free(s);
}

void sasl_service_configure(struct sasl_service *s, const struct config *config)
{
	s->sha1 = config->scram_sha1 == PERMISSION_ALLOW;
	s->plus = config->scram_plus == PERMISSION_ALLOW;
	s->has_oauth = config->oauth.kind != OAUTH_NONE;
	s->issuer = config->oauth.issuer;
	verify_forget(&s->verify);
}

void sasl_service_process_gone(struct sasl_service *s, const char *edge)
{
	attempts_process_gone(&s->attempts, edge);
}

/* --- the call --- */

static const struct mechanism {
	str name;
	enum crypto_hash hash;
	bool plus;
	err (*step)(struct step *x);
} mechanisms[] = {
	{STR("PLAIN"), 0, false, step_plain},
	{STR("LOGIN"), 0, false, step_login},
	{STR("SCRAM-SHA-256"), CRYPTO_SHA256, false, step_scram},
	{STR("SCRAM-SHA-256-PLUS"), CRYPTO_SHA256, true, step_scram},
	{STR("SCRAM-SHA-1"), CRYPTO_SHA1, false, step_scram},
	{STR("EXTERNAL"), 0, false, step_external},
	{STR("OAUTHBEARER"), 0, false, step_oauthbearer},
	{STR("XOAUTH2"), 0, false, step_xoauth2},
};

static const struct mechanism *mechanism_find(str name)
{
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
		if (str_equal_nocase(name, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

static err take_step(struct step *x)
{
	struct attempt *t = x->attempt;
	const struct mechanism *m = mechanism_find(t->mechanism);

	if (m == NULL || !sasl_is_offered(&t->offer, t->mechanism))
		return err_set(E_PERM, 504, "5.5.4", "no such mechanism here");
	t->mechanism = m->name;
	t->scram.hash = m->hash;
	t->scram.plus = m->plus;
	t->scram.plus_offered = t->offer.tls && t->offer.binding;
	return m->step(x);
}

/* The attempt is `x`'s alone while it runs, and waits in the table while the client has the word. */
static err run_step(struct step *x)
{
	err e = take_step(x);

	if (e == OK && x->reply->state == AUTH_CONTINUE)
		e = attempts_put(&x->service->attempts, x->attempt);
	if (e == OK && x->reply->state == AUTH_CONTINUE)
		x->attempt = NULL;
	attempt_free(&x->attempt);
	return e;
}

static err begin(struct step *x, const struct auth_request *q)
{
	struct attempt *t = attempt_new(x->edge, q);

	if (t == NULL)
		return err_set(E_TEMP, 454, "4.7.0", "cannot log in at present, try again later");
	bool loopback = t->client_key.n == 0;
	t->offer = (struct sasl_offer){.tls = q->tls,
	                               .loopback = loopback,
	                               .binding = x->service->plus && q->bindings_n > 0,
	                               .sha1 = x->service->sha1,
	                               .oauth = x->service->has_oauth,
	                               .certificate = q->certificate.n > 0};
	x->attempt = t;
	return run_step(x);
}

err sasl_serve(struct sasl_service *s, const char *edge, const struct auth_request *q, struct auth_reply *r,
               struct arena *a)
{
	struct step x = {.service = s,
	                 .edge = edge,
	                 .response = q->response,
	                 .has_response = q->has_response,
	                 .reply = r,
	                 .arena = a,
	                 .attempt = attempts_take(&s->attempts, edge, q->session)};

	if (q->step == AUTH_NEXT && x.attempt != NULL)
		return run_step(&x);
	attempt_free(&x.attempt);
	if (q->step == AUTH_CANCEL)
		return OK;
	if (q->step == AUTH_NEXT)
		return err_set(E_BUSY, 454, "4.7.0", "that took too long, begin again");
	return begin(&x, q);
}
