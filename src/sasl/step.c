/* SPDX-License-Identifier: ISC */
/* What the mechanisms share: the store, and how an exchange goes on or ends. */
#include "sasl/step.h"

#include "base/log.h"
#include "sasl/prepare.h"

#define STORE_TIME (30 * NSEC_PER_SEC) /* to answer one call */
#define USE_NOTED  (3600LL * 1000000)  /* microseconds between two notes that a credential was used */

/* --- the store --- */

/* Its own words are for the log. */
err step_unavailable(const struct attempt *t, err e)
{
	LOG(ERROR, "login.error", LOG_STR("sid", t->session), LOG_Z("error", err_name(e)),
	    LOG_Z("text", err_info()->text));
	return err_set(E_TEMP, 454, "4.7.0", "cannot log in at present, try again later");
}

/* `user` "": whose the certificate is. */
static err ask_store(struct sasl_service *s, struct attempt *t, str user, struct credential_reply *r)
{
	struct credential_request q = {.user = user, .certificate = t->certificate};
	err e = call_credential(s->store, &q, r, &t->memory, rt_after(STORE_TIME));

	return e == OK ? OK : step_unavailable(t, e);
}

/* An account may have been made under a name that is not in its normal form. Both are always asked for, so that
 * nobody can tell which there is. */
static err fetch_account(struct sasl_service *s, struct attempt *t, str user)
{
	str normal = prepare(user, &t->memory);
	struct credential_reply typed = {0};
	err e = str_equal(normal, user) ? OK : ask_store(s, t, user, &typed);

	t->user = arena_str(&t->memory, user);
	if (e == OK)
		e = ask_store(s, t, normal, &t->account);
	if (e == OK && t->account.account == 0 && typed.account != 0)
		t->account = typed;
	for (size_t i = 0; e == OK && i < t->account.networks_n; i++)
		known_learn(&s->guess.known, t->account.account, t->account.networks[i].network,
		            t->account.networks[i].at);
	return e;
}

static void name_guesser(const struct sasl_service *s, struct attempt *t)
{
	str name = t->account.address.n > 0 ? t->account.address : arena_lower(&t->memory, t->user);

	t->who = guess_of(&s->guess, t->client_key, name, t->account.account, &t->memory);
}

/* Who it is to be; and who tries too often waits here. */
err step_begin_as(struct step *x, str user)
{
	struct sasl_service *s = x->service;
	struct attempt *t = x->attempt;
	err e = fetch_account(s, t, user);

	if (e != OK)
		return e;
	name_guesser(s, t);
	return guess_wait(&s->guess, &t->who);
}

/* E_DENIED: the account may not log in, or not by this any more. */
static err grant(struct sasl_service *s, const char *edge, const struct attempt *t)
{
	bool note = (uint64_t)rt_wall() > t->right->used + USE_NOTED;
	ARENA(a, 1024);
	str network = known_due(&s->guess.known, t->account.account, t->client_key, &a);
	struct grant_request q = {.edge = str_from(edge),
	                          .session = t->session,
	                          .account = t->account.account,
	                          .credential = t->right->name,
	                          .hash = t->right->hash,
	                          .note_use = note,
	                          .network = network};
	struct grant_reply r;

	return call_grant(s->store, &q, &r, &a, rt_after(STORE_TIME));
}

/* --- how it ends --- */

err step_failed(struct step *x)
{
	const struct attempt *t = x->attempt;
	bool guessed = guess_failed(&x->service->guess, &t->who);

	LOG(WARN, "login.failed", LOG_STR("client", t->client), LOG_STR("service", t->service),
	    LOG_STR("sid", t->session), LOG_STR("mechanism", t->mechanism), LOG_STR("user", t->user));
	if (guessed)
		LOG(WARN, "login.guessed", LOG_STR("user", t->user));
	return err_set(E_DENIED, 535, "5.7.8", "wrong user name or password");
}

err step_malformed(void)
{
	return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: %s", err_info()->text);
}

static void logged_in(struct step *x)
{
	const struct attempt *t = x->attempt;
	struct auth_reply *r = x->reply;

	guess_succeeded(&x->service->guess, &t->who, t->account.account);
	r->state = AUTH_DONE;
	r->account = t->account.account;
	r->address = arena_str(x->arena, t->account.address);
	LOG(INFO, "login.ok", LOG_STR("client", t->client), LOG_STR("service", t->service), LOG_STR("sid", t->session),
	    LOG_STR("mechanism", t->mechanism), LOG_STR("user", r->address));
}

err step_succeeded(struct step *x)
{
	err e = grant(x->service, x->edge, x->attempt);

	if (e != OK)
		return step_unavailable(x->attempt, e);
	logged_in(x);
	return OK;
}

/* Strangers have their turn at a look, whatever is remembered (verify.h). */
err step_succeeded_again(struct step *x, str user)
{
	struct attempt *t = x->attempt;

	t->user = arena_str(&t->memory, user);
	name_guesser(x->service, t);
	if (t->who.client.n > 0 && !t->who.known)
		return E_DENIED;
	err e = guess_wait(&x->service->guess, &t->who);
	if (e != OK)
		return e;
	e = grant(x->service, x->edge, t);
	if (e == OK)
		logged_in(x);
	return e == OK || e == E_DENIED ? e : step_unavailable(t, e);
}

void step_say(struct step *x, str challenge)
{
	x->reply->state = AUTH_CONTINUE;
	x->reply->challenge = arena_str(x->arena, challenge);
}
