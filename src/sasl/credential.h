/* SPDX-License-Identifier: ISC */
/* What is kept of a password: several forms of it, so that it can be proven in several ways and not be recovered. */
#ifndef SASL_CREDENTIAL_H
#define SASL_CREDENTIAL_H

#include "base/buf.h"
#include "base/err.h"

/* Kinds, as the store has them. Passwords that people choose are kept as CREDENTIAL_PASSWORD too; those that were
 * made at random need no slow hash. */
#define CREDENTIAL_PASSWORD "password"      /* libcrypt's text */
#define CREDENTIAL_SHA256   "scram-sha-256" /* scram_verifier_print's */
#define CREDENTIAL_SHA1     "scram-sha-1"

#define CREDENTIAL_CERTIFICATE "certificate" /* fingerprint of a client's certificate; the name is the same */

#define CREDENTIAL_SALT_MAX 64

/* Appends a line "KIND TEXT" for each form, of the password as it is after SASLprep (prepare.h). `salt` is the
 * account's, which all its credentials share, so that one exchange of SCRAM can prove any of them. `chosen`: by a
 * person. Takes tens of milliseconds. E_SYNTAX: no acceptable password. E_LIMIT, E_MEMORY. */
MUST_USE err credential_compute(str password, str salt, bool chosen, bool sha1, struct buf *out);
/* The next line, false at the end. */
MUST_USE bool credential_next(str *lines, str *kind, str *text);
bool credential_is_kind(str kind); /* of a password */

/* A new password that nobody guesses: 20 letters and digits, 100 bits, in groups of five. */
void credential_invent(struct buf *out);

#endif
