/* SPDX-License-Identifier: ISC */
/* step - one thing that a client says in an exchange, and what the mechanisms share. Private to service.c and step*.c. */
#ifndef SASL_STEP_H
#define SASL_STEP_H

#include "sasl/attempt.h"
#include "sasl/service.h"
#include "sasl/verify.h"

struct sasl_service {
	struct link *store;
	struct guess guess;
	struct verify verify;
	struct attempts attempts;
	struct link *oauth;
	struct turns tokens; /* at asking about one */
	str issuer;          /* of tokens; the configuration's */
	bool sha1, plus, has_oauth;
};

struct step {
	struct sasl_service *service;
	const char *edge;
	struct attempt *attempt;
	str response;
	bool has_response;
	struct auth_reply *reply;
	struct arena *arena;
};

/* The mechanisms. OK: reply->state says whether it goes on. */
MUST_USE err step_plain(struct step *x);
MUST_USE err step_login(struct step *x);
MUST_USE err step_scram(struct step *x);
MUST_USE err step_external(struct step *x);
MUST_USE err step_oauthbearer(struct step *x);
MUST_USE err step_xoauth2(struct step *x);

/* Who it is to be: gets his account from the store, and waits when too many tried. E_BUSY, E_TEMP, E_CANCELLED. */
MUST_USE err step_begin_as(struct step *x, str user);
/* How it goes on. */
void step_say(struct step *x, str challenge);
/* How it ends: attempt->right is what proved it. */
MUST_USE err step_succeeded(struct step *x);
/* The same without step_begin_as, when attempt->account and attempt->right are what is remembered of `user`. E_DENIED, which is said to nobody: it has to
 * be looked up. */
MUST_USE err step_succeeded_again(struct step *x, str user);
MUST_USE err step_failed(struct step *x); /* 535, the same for everybody; it is counted and logged */
MUST_USE err step_malformed(void);        /* 501, with what err_info says */
/* Another process did not answer, for the reason in err_info, which is logged: 454. */
MUST_USE err step_unavailable(const struct attempt *t, err e);

#endif
