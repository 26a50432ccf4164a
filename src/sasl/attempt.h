/* SPDX-License-Identifier: ISC */
/* attempt - one client's exchange, and the table of those that wait for the client's next word. Private to service.c
 * and attempt.c.
 *
 * Each client has a share of the table; one that has begun more exchanges than that, or more than all others when
 * the table is full, loses the one that it has neglected longest.
 */
#ifndef SASL_ATTEMPT_H
#define SASL_ATTEMPT_H

#include "base/map.h"
#include "link/messages.h"
#include "rt/net.h"
#include "sasl/crowd.h"
#include "sasl/guess.h"
#include "sasl/login.h"
#include "sasl/offer.h"
#include "sasl/scram.h"

enum attempt_stage { ATTEMPT_FIRST, ATTEMPT_FINAL, ATTEMPT_PROVEN, ATTEMPT_REFUSED };

struct attempt {
	struct arena memory; /* of everything below */
	str key;             /* process NUL session */
	nsec deadline;
	struct attempt *older, *newer;
	struct attempts *table; /* it waits in; NULL: in none */
	struct crowd_member member;
	/* what the first call said */
	str session, client, service, mechanism, certificate;
	struct sasl_offer offer;
	str client_key; /* guess_key's */
	struct net_address address;
	struct guesser who; /* when the user's name is known */
	/* how far it is */
	enum attempt_stage stage; /* of SCRAM; REFUSED: a token */
	struct scram scram;
	struct login login;
	str user;
	struct credential_reply account;
	const struct credential *right; /* that was proven; NULL: none */
};

struct attempts {
	struct map by_key;
	struct attempt *oldest, *newest;
	struct crowd clients;
};
void attempts_init(struct attempts *t);
void attempts_free(struct attempts *t);

/* A copy of what the request says, not in the table. NULL: no memory, or it says too much. */
MUST_USE struct attempt *attempt_new(const char *edge, const struct auth_request *q);
void attempt_free(struct attempt **t);

/* The attempt of this session, no longer in the table; NULL: none, its minute is over, or it had to go. */
MUST_USE struct attempt *attempts_take(struct attempts *t, const char *edge, str session);
/* It waits in the table for its client, until its deadline or until others need the place. E_MEMORY. */
MUST_USE err attempts_put(struct attempts *t, struct attempt *attempt);
void attempts_process_gone(struct attempts *t, const char *edge);

#endif
