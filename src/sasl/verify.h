/* SPDX-License-Identifier: ISC */
/* verify - whether a password is one of an account's. Hashes are computed in worker threads, a few at once; clients
 * take turns. A password that was right is remembered for 5 minutes, as a keyed digest of it and the user's name, together
 * with the account and the credential: the next look costs microseconds. Whether that credential is still valid is for
 * the store to say each time, so that a changed or removed password counts at once.
 */
#ifndef SASL_VERIFY_H
#define SASL_VERIFY_H

#include "link/messages.h"
#include "sasl/guess.h"
#include "sasl/turns.h"

struct verify {
	struct guess *guess;
	struct turns hashing;
	struct recent verified; /* digest of user and password: the account with the one credential, packed */
	unsigned char key[32];  /* of the digests; known to this process alone */
};
void verify_init(struct verify *v, struct guess *guess);
void verify_free(struct verify *v);
void verify_forget(struct verify *v); /* what is remembered: a name may stand for another account from now on */

/* `right`: the credential whose password it is, NULL none. Takes the same time whether there is such an account or
 * not. E_BUSY, with reply; E_CANCELLED. */
MUST_USE err verify_password(struct verify *v, const struct credential_reply *account, str user, str password,
                             const struct guesser *who, const struct credential **right);

/* The account whose password this was, with the credential as it was then, in `a`. False: it is not remembered. */
MUST_USE bool verify_recall(const struct verify *v, str user, str password, struct credential_reply *account,
                            struct arena *a);

#endif
