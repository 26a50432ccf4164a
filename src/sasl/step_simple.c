/* SPDX-License-Identifier: ISC */
/* PLAIN, LOGIN and EXTERNAL: a name, and a password or a certificate. */
#include "sasl/credential.h"
#include "sasl/plain.h"
#include "sasl/prepare.h"
#include "sasl/step.h"

/* --- PLAIN and LOGIN --- */

static bool is_other(const struct attempt *t, str authorization, str user)
{
	return authorization.n > 0 && !str_equal_nocase(authorization, user) &&
	       !str_equal_nocase(authorization, t->account.address);
}

/* What was right a moment ago need not be looked up: one call says whether it still is. E_DENIED: that is not known. */
static err as_before(struct step *x, str authorization, str user, str password)
{
	struct attempt *t = x->attempt;

	if (!verify_recall(&x->service->verify, user, password, &t->account, &t->memory) ||
	    is_other(t, authorization, user))
		return E_DENIED;
	t->right = t->account.credentials;
	return step_succeeded_again(x, user);
}

static err with_password(struct step *x, str authorization, str user, str password)
{
	struct attempt *t = x->attempt;

	password = prepare(password, &t->memory);
	err e = as_before(x, authorization, user, password);
	if (e != E_DENIED)
		return e;
	t->right = NULL;
	e = step_begin_as(x, user);
	if (e == OK)
		e = verify_password(&x->service->verify, &t->account, user, password, &t->who, &t->right);
	if (e != OK)
		return e;
	if (t->right == NULL || t->account.disabled || is_other(t, authorization, user))
		return step_failed(x);
	return step_succeeded(x);
}

err step_plain(struct step *x)
{
	struct plain p;

	if (!x->has_response) {
		step_say(x, STR(""));
		return OK;
	}
	if (x->response.n > PLAIN_MAX)
		return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: PLAIN: too long");
	return plain_parse(x->response, &p) == OK ? with_password(x, p.authorization, p.user, p.password)
	                                          : step_malformed();
}

err step_login(struct step *x)
{
	struct login *l = &x->attempt->login;
	str challenge = STR_NONE;

	if (login_step(l, x->response, x->has_response, &challenge) != OK)
		return step_malformed();
	if (challenge.p == NULL)
		return with_password(x, STR(""), str_make(l->user, l->user_n), x->response);
	step_say(x, challenge);
	return OK;
}

/* --- EXTERNAL --- */

/* RFC 4422 A. The message is who to act as; empty: who the certificate says. */
err step_external(struct step *x)
{
	struct attempt *t = x->attempt;

	if (!x->has_response) {
		step_say(x, STR(""));
		return OK;
	}
	if (x->response.n > PLAIN_MAX || !str_is_utf8(x->response) || str_has_control(x->response))
		return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: EXTERNAL: not a name");
	err e = step_begin_as(x, x->response);
	if (e != OK)
		return e;
	for (size_t i = 0; i < t->account.credentials_n; i++) {
		const struct credential *c = &t->account.credentials[i];

		if (str_equal(c->kind, STR(CREDENTIAL_CERTIFICATE)) && str_equal(c->hash, t->certificate))
			t->right = c;
	}
	if (t->right == NULL || t->account.disabled)
		return step_failed(x);
	return step_succeeded(x);
}
