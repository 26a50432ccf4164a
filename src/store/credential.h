/* SPDX-License-Identifier: ISC */
/* credential - what is kept of passwords: rows of the table of that name. */
#ifndef STORE_CREDENTIAL_H
#define STORE_CREDENTIAL_H

#include "store/db.h"

#define CREDENTIAL_NAME_MAX     64 /* octets of an app password's name */
#define CREDENTIALS_PER_ACCOUNT 20 /* app passwords, and as many certificates */

/* The forms of one password, which replace those of the same name. `lines` as credential_compute makes them; E_SYNTAX. */
struct credential_change {
	uint64_t account;
	str name; /* "": the account's own password */
	str lines;
	uint64_t now, expires; /* microseconds since 1970; expires 0: never */
};
MUST_USE err credential_put(struct db *db, const struct credential_change *c);
MUST_USE err credential_delete(struct db *db, uint64_t account, str name, size_t *deleted); /* no certificate */
/* Certificates, by their fingerprints (rt/certificate.h). */
MUST_USE err credential_put_certificate(struct db *db, const struct credential_change *c); /* c->name; no lines */
MUST_USE err credential_delete_certificate(struct db *db, uint64_t account, str fingerprint, size_t *deleted);
/* A random secret that this store keeps for itself. */
MUST_USE err credential_new_secret(struct db *db);

#endif
