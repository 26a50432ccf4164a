/* SPDX-License-Identifier: ISC */
/* OAUTHBEARER (RFC 7628) and XOAUTH2: somebody else has made sure who it is, and whoever has his token is believed. Whether it is a good one is found out
 * in another process (`oauth`), as that speaks with the network; here it is opaque. */
#include "base/log.h"
#include "sasl/oauth.h"
#include "sasl/step.h"

#define TOKEN_TIME (25 * NSEC_PER_SEC) /* for whoever is asked */
#define QUEUE_TIME (30 * NSEC_PER_SEC) /* to wait for a turn */

/* What it stands for is not kept by us, so that nothing is noted of its use. */
static const struct credential by_token = {.used = UINT64_MAX / 2};

static err denied(void)
{
	return err_set(E_DENIED, 535, "5.7.8", "this token is not accepted");
}

/* RFC 7628 3.2.3: the client is told why, answers with nothing, and is refused then. It is counted now: many just go away. */
static err refuse(struct step *x, str why, bool older)
{
	struct attempt *t = x->attempt;

	LOG(INFO, "token.refused", LOG_STR("sid", t->session), LOG_STR("why", why));
	(void)!step_failed(x);
	t->stage = ATTEMPT_REFUSED;
	step_say(x, older ? oauth_x_refusal() : oauth_bearer_refusal(x->service->issuer, &t->memory));
	return OK;
}

/* Clients take turns, so that one that comes a hundred times does not keep whoever is asked busy. */
static err ask(struct step *x, str token, struct token_reply *r)
{
	struct sasl_service *s = x->service;
	struct attempt *t = x->attempt;
	err e = turns_take(&s->tokens, t->who.client, rt_after(QUEUE_TIME));

	if (e != OK)
		return e == E_CANCELLED ? e : guess_overloaded();
	e = guess_check(&s->guess, &t->who);
	if (e == OK) {
		e = call_token(s->oauth, &(struct token_request){token}, r, &t->memory, rt_after(TOKEN_TIME));
		if (e != OK && e != E_CANCELLED)
			e = step_unavailable(t, e);
	}
	turns_give(&s->tokens);
	return e;
}

/* The account is the token's. Who says whose it is to be says so for the same one. */
static err enter(struct step *x, str named, str user, bool older)
{
	struct attempt *t = x->attempt;
	uint64_t wanted = t->account.account;
	err e = str_equal(named, user) ? OK : step_begin_as(x, user);

	if (e != OK)
		return e;
	if (t->account.account == 0)
		return refuse(x, STR("no account has this address"), older);
	if (named.n > 0 && t->account.account != wanted)
		return refuse(x, STR("the token is for another account"), older);
	if (t->account.disabled)
		return refuse(x, STR("the account is disabled"), older);
	t->right = &by_token;
	return step_succeeded(x);
}

static err with_token(struct step *x, const struct oauth_message *m, bool older)
{
	struct sasl_service *s = x->service;
	struct token_reply r = {0};
	str named = m->authorization;
	err e = named.n > 0 ? step_begin_as(x, named) : guess_wait(&s->guess, &x->attempt->who);

	if (e == OK && m->token.n > 0)
		e = ask(x, m->token, &r);
	if (e != OK)
		return e;
	if (!r.valid)
		return refuse(x, m->token.n > 0 ? r.why : STR("there is none"), older);
	return enter(x, named, r.user, older);
}

static err step(struct step *x, bool older)
{
	struct attempt *t = x->attempt;
	struct oauth_message m;

	if (t->stage == ATTEMPT_REFUSED)
		return denied();
	if (!x->has_response) {
		step_say(x, STR(""));
		return OK;
	}
	err e = older ? oauth_x_parse(x->response, &m) : oauth_bearer_parse(x->response, &t->memory, &m);
	return e == OK ? with_token(x, &m, older) : step_malformed();
}

err step_oauthbearer(struct step *x)
{
	return step(x, false);
}

err step_xoauth2(struct step *x)
{
	return step(x, true);
}
