/* SPDX-License-Identifier: ISC */
/* trust_files - the files by which other servers are believed, and the passwords we show them, as the monitor reads them: the roles that speak with
 * them have no files. It does not look into them.
 */
#ifndef ROLE_TRUST_FILES_H
#define ROLE_TRUST_FILES_H

#include "conf/config.h"
#include "link/messages.h"

#define TRUST_AUTHORITIES   STR("authorities")   /* certificates in PEM */
#define TRUST_ANCHOR        STR("trust-anchor")  /* of the DNS */
#define TRUST_CLIENT_SECRET STR("client-secret") /* of oauth */

struct trust_files {              /* all zero: none */
	struct named_file *items; /* a password is named by its path */
	size_t n;
	struct arena memory;
};

/* What the configuration names, or the system has. What cannot be read is said in the log; it is what it was in `old` (may be all zero), or not there.
 * An error: a trust anchor is configured that was never read, or there is no memory. */
MUST_USE err trust_files_load(const struct config *config, const struct trust_files *old, struct trust_files *out);
void trust_files_free(struct trust_files *t); /* wipes the passwords */
/* Another number when one of the files is another one or was changed. */
uint64_t trust_files_stamp(const struct config *config);

#endif
