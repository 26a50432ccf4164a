/* SPDX-License-Identifier: ISC */
/* SCRAM: the client proves that it knows a password, and learns that the server knows it too. */
#include "base/encode.h"
#include "sasl/credential.h"
#include "sasl/step.h"

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
		return e == E_DENIED ? step_failed(x) : step_malformed();
	e = step_begin_as(x, t->scram.user);
	if (e == OK)
		e = salt_of(t, &salt);
	if (e != OK)
		return e;
	rt_random(random, sizeof(random));
	base64_encode(&nonce, str_make((const char *)random, sizeof(random)));
	e = scram_challenge(&t->scram, scram_verifier_salt(&salt), salt.rounds, buf_str(&nonce));
	if (e != OK)
		return step_malformed();
	t->stage = ATTEMPT_FINAL;
	step_say(x, t->scram.challenge);
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

/* No protocol here can send data with its word of success, so the server's proof is a challenge, and the client
 * agrees with an empty response (RFC 5802 5, RFC 4422 5). */
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
		return step_malformed();
	if (e == OK)
		find_proven(t, &out);
	bool other = authorization.n > 0 && !str_equal_nocase(authorization, t->user) &&
	             !str_equal_nocase(authorization, t->account.address);
	if (t->right == NULL || t->account.disabled || other)
		return step_failed(x);
	t->stage = ATTEMPT_PROVEN;
	step_say(x, buf_str(&out));
	return OK;
}

err step_scram(struct step *x)
{
	struct attempt *t = x->attempt;

	if (t->stage == ATTEMPT_PROVEN && x->response.n > 0)
		return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: nothing was left to say");
	if (t->stage == ATTEMPT_PROVEN)
		return step_succeeded(x);
	if (t->stage == ATTEMPT_FINAL)
		return scram_finish(x);
	if (x->has_response)
		return scram_start(x);
	step_say(x, STR(""));
	return OK;
}
