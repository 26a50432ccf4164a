/* SPDX-License-Identifier: ISC */
#include "sasl/service.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/log.h"
#include "sasl/attempt.h"
#include "sasl/credential.h"
#include "sasl/plain.h"
#include "sasl/prepare.h"
#include "sasl/verify.h"

#define STORE_TIME (30 * NSEC_PER_SEC) /* to answer one call */
#define USE_NOTED  (3600LL * 1000000)  /* microseconds between two notes that a credential was used */

struct sasl_service {
	struct link *store;
	struct guess guess;
	struct verify verify;
	struct attempts attempts;
	bool sha1, plus;
};

struct sasl_service *sasl_service_new(struct link *store)
{
	struct sasl_service *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->store = store;
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
	verify_free(&s->verify);
	guess_free(&s->guess);
	free(s);
}

void sasl_service_configure(struct sasl_service *s, const struct config *config)
{
	s->sha1 = config->scram_sha1 == PERMISSION_ALLOW;
	s->plus = config->scram_plus == PERMISSION_ALLOW;
}

void sasl_service_process_gone(struct sasl_service *s, const char *edge)
{
	attempts_process_gone(&s->attempts, edge);
}

/* --- the store --- */

/* Its own words are for the log. */
static err store_failed(const struct attempt *t, err e)
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

	return e == OK ? OK : store_failed(t, e);
}

/* An account may have been made under a name that is not in its normal form. Both are always asked for, so that nobody can tell which there is. */
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
	return e;
}

/* Who it is to be; and who tries too often waits here. */
static err begin_as(struct sasl_service *s, struct attempt *t, str user)
{
	err e = fetch_account(s, t, user);

	if (e != OK)
		return e;
	str name = t->account.address.n > 0 ? t->account.address : arena_lower(&t->memory, t->user);
	t->who = guess_of(&s->guess, t->client_key, name, t->account.account, &t->memory);
	return guess_wait(&s->guess, &t->who);
}

static err grant(struct sasl_service *s, const char *edge, const struct attempt *t)
{
	bool note = (uint64_t)rt_wall() > t->right->used + USE_NOTED;
	struct grant_request q = {.edge = str_from(edge),
	                          .session = t->session,
	                          .account = t->account.account,
	                          .credential = t->right->name,
	                          .note_use = note};
	struct grant_reply r;
	ARENA(a, 1024);
	err e = call_grant(s->store, &q, &r, &a, rt_after(STORE_TIME));

	return e == OK ? OK : store_failed(t, e);
}

/* --- how it ends --- */

static err failed(struct sasl_service *s, struct attempt *t)
{
	bool guessed = guess_failed(&s->guess, &t->who);

	LOG(WARN, "login.failed", LOG_STR("client", t->client), LOG_STR("service", t->service),
	    LOG_STR("sid", t->session), LOG_STR("mechanism", t->mechanism), LOG_STR("user", t->user));
	if (guessed)
		LOG(WARN, "login.guessed", LOG_STR("user", t->user));
	return err_set(E_DENIED, 535, "5.7.8", "wrong user name or password");
}

static err malformed(void)
{
	return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: %s", err_info()->text);
}

static err succeeded(struct sasl_service *s, const char *edge, struct attempt *t, struct auth_reply *r, struct arena *a)
{
	err e = grant(s, edge, t);

	if (e != OK)
		return e;
	guess_succeeded(&s->guess, &t->who, t->account.account);
	r->state = AUTH_DONE;
	r->account = t->account.account;
	r->address = arena_str(a, t->account.address);
	LOG(INFO, "login.ok", LOG_STR("client", t->client), LOG_STR("service", t->service), LOG_STR("sid", t->session),
	    LOG_STR("mechanism", t->mechanism), LOG_STR("user", r->address));
	return OK;
}

static void say(struct auth_reply *r, str challenge, struct arena *a)
{
	r->state = AUTH_CONTINUE;
	r->challenge = arena_str(a, challenge);
}

/* --- PLAIN and LOGIN --- */

struct step {
	struct sasl_service *service;
	const char *edge;
	struct attempt *attempt;
	str response;
	bool has_response;
	struct auth_reply *reply;
	struct arena *arena;
};

static err with_password(struct step *x, str authorization, str user, str password)
{
	struct attempt *t = x->attempt;
	err e = begin_as(x->service, t, user);

	if (e == OK)
		e = verify_password(&x->service->verify, &t->account, user, prepare(password, &t->memory), &t->who,
		                    &t->right);
	if (e != OK)
		return e;
	bool other =
		authorization.n > 0 && !str_equal(authorization, user) && !str_equal(authorization, t->account.address);
	if (t->right == NULL || t->account.disabled || other)
		return failed(x->service, t);
	return succeeded(x->service, x->edge, t, x->reply, x->arena);
}

static err plain_step(struct step *x)
{
	struct plain p;

	if (!x->has_response) {
		say(x->reply, STR(""), x->arena);
		return OK;
	}
	if (x->response.n > PLAIN_MAX)
		return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: PLAIN: too long");
	return plain_parse(x->response, &p) == OK ? with_password(x, p.authorization, p.user, p.password) : malformed();
}

static err login_next(struct step *x)
{
	struct login *l = &x->attempt->login;
	str challenge = STR_NONE;

	if (login_step(l, x->response, x->has_response, &challenge) != OK)
		return malformed();
	if (challenge.p == NULL)
		return with_password(x, STR(""), str_make(l->user, l->user_n), x->response);
	say(x->reply, challenge, x->arena);
	return OK;
}

/* --- SCRAM --- */

static bool is_of(const struct attempt *t, const struct credential *c)
{
	return str_equal(c->kind, t->scram.hash == CRYPTO_SHA1 ? STR(CREDENTIAL_SHA1) : STR(CREDENTIAL_SHA256));
}

/* The salt of the account, or one that a stranger cannot tell from it: always the same for the same name. */
static err salt_of(struct attempt *t, struct scram_verifier *out)
{
	struct crypto_digest d;
	str name = t->account.address.n > 0 ? t->account.address : arena_lower(&t->memory, t->user);
	err e = crypto_hmac(CRYPTO_SHA256, t->account.secret, name, &d);

	*out = (struct scram_verifier){.rounds = SCRAM_ROUNDS, .salt_n = SCRAM_SALT};
	memcpy(out->salt, d.bytes, SCRAM_SALT);
	for (size_t i = 0; i < t->account.credentials_n && e == OK; i++) {
		const struct credential *c = &t->account.credentials[i];
		struct scram_verifier v;

		if (is_of(t, c) && scram_verifier_parse(c->hash, &v) == OK) {
			*out = v;
			break;
		}
	}
	return e;
}

static err scram_start(struct step *x)
{
	struct attempt *t = x->attempt;
	struct scram_verifier salt;
	unsigned char random[18];
	BUF(nonce, 64);

	err e = scram_first(&t->scram, x->response);
	if (e != OK)
		return e == E_DENIED ? failed(x->service, t) : malformed();
	e = begin_as(x->service, t, t->scram.user);
	if (e == OK)
		e = salt_of(t, &salt);
	if (e != OK)
		return e;
	rt_random(random, sizeof(random));
	base64_encode(&nonce, str_make((const char *)random, sizeof(random)));
	e = scram_challenge(&t->scram, scram_verifier_salt(&salt), salt.rounds, buf_str(&nonce));
	if (e != OK)
		return malformed();
	t->stage = ATTEMPT_FINAL;
	say(x->reply, t->scram.challenge, x->arena);
	return OK;
}

/* Any of the account's credentials may be meant. They are all tried, and at least one is. */
static void find_proven(struct attempt *t, struct buf *out)
{
	static const struct scram_verifier nobody = {.stored_key.n = CRYPTO_SHA256_SIZE};
	struct scram_verifier v;
	BUF(unused, SCRAM_MESSAGE_MAX);

	(void)!scram_proves(&t->scram, &nobody, &unused);
	for (size_t i = 0; i < t->account.credentials_n; i++) {
		const struct credential *c = &t->account.credentials[i];

		if (t->right == NULL && is_of(t, c) && scram_verifier_parse(c->hash, &v) == OK &&
		    scram_proves(&t->scram, &v, out))
			t->right = c;
	}
}

/* No protocol here can send data with its word of success, so the server's proof is a challenge, and the client agrees with an empty response
 * (RFC 5802 5, RFC 4422 5). */
static err scram_finish(struct step *x)
{
	struct attempt *t = x->attempt;
	str authorization = t->scram.authorization;
	BUF(out, SCRAM_MESSAGE_MAX);

	err e = guess_check(&x->service->guess, &t->who);
	if (e != OK)
		return e;
	e = scram_final(&t->scram, x->response);
	if (e == E_SYNTAX || e == E_LIMIT)
		return malformed();
	if (e == OK)
		find_proven(t, &out);
	bool other = authorization.n > 0 && !str_equal(authorization, t->user) &&
	             !str_equal(authorization, t->account.address);
	if (t->right == NULL || t->account.disabled || other)
		return failed(x->service, t);
	t->stage = ATTEMPT_PROVEN;
	say(x->reply, buf_str(&out), x->arena);
	return OK;
}

static err scram_step(struct step *x)
{
	struct attempt *t = x->attempt;

	if (t->stage == ATTEMPT_PROVEN && x->response.n > 0)
		return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: nothing was left to say");
	if (t->stage == ATTEMPT_PROVEN)
		return succeeded(x->service, x->edge, t, x->reply, x->arena);
	if (t->stage == ATTEMPT_FINAL)
		return scram_finish(x);
	if (x->has_response)
		return scram_start(x);
	say(x->reply, STR(""), x->arena);
	return OK;
}

/* --- EXTERNAL --- */

/* RFC 4422 A. The message is who to act as; empty: who the certificate says. */
static err external_step(struct step *x)
{
	struct attempt *t = x->attempt;

	if (!x->has_response) {
		say(x->reply, STR(""), x->arena);
		return OK;
	}
	if (x->response.n > PLAIN_MAX || !str_is_utf8(x->response) || str_has_control(x->response))
		return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: EXTERNAL: not a name");
	err e = begin_as(x->service, t, x->response);
	if (e != OK)
		return e;
	for (size_t i = 0; i < t->account.credentials_n; i++) {
		const struct credential *c = &t->account.credentials[i];

		if (str_equal(c->kind, STR(CREDENTIAL_CERTIFICATE)) && str_equal(c->hash, t->certificate))
			t->right = c;
	}
	if (t->right == NULL || t->account.disabled)
		return failed(x->service, t);
	return succeeded(x->service, x->edge, t, x->reply, x->arena);
}

/* --- the call --- */

static const struct mechanism {
	str name;
	enum crypto_hash hash;
	bool plus;
	err (*step)(struct step *x);
} mechanisms[] = {
	{STR("PLAIN"), 0, false, plain_step},
	{STR("LOGIN"), 0, false, login_next},
	{STR("SCRAM-SHA-256"), CRYPTO_SHA256, false, scram_step},
	{STR("SCRAM-SHA-256-PLUS"), CRYPTO_SHA256, true, scram_step},
	{STR("SCRAM-SHA-1"), CRYPTO_SHA1, false, scram_step},
	{STR("EXTERNAL"), 0, false, external_step},
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
