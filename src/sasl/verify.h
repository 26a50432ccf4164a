/* SPDX-License-Identifier: ISC */
/* verify - whether a password is one of an account's. Hashes are computed in worker threads, a few at once; clients
 * take turns. A password that was right is remembered for 5 minutes, as a keyed digest together with the hash it was
 * checked against: the next look costs microseconds, and a changed or removed password counts at once.
 */
#ifndef SASL_VERIFY_H
#define SASL_VERIFY_H

#include "link/messages.h"
#include "sasl/guess.h"
#include "sasl/turns.h"

struct verify {
	struct guess *guess;
	struct turns hashing;
	struct recent verified; /* digest of user, hash and password -> until when it needs no new look */
	unsigned char key[32];  /* of the digests; known to this process alone */
};
void verify_init(struct verify *v, struct guess *guess);
void verify_free(struct verify *v);

/* `right`: the credential whose password it is, NULL none. Takes the same time whether there is such an account or
 * not. E_BUSY, with reply; E_CANCELLED. */
MUST_USE err verify_password(struct verify *v, const struct credential_reply *account, str user, str password,
                             const struct guesser *who, const struct credential **right);

#endif
