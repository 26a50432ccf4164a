/* SPDX-License-Identifier: ISC */
/* srs - the sender rewriting scheme: a forwarded message leaves with a reverse-path of ours, from which the first sender is found again when
 * it comes back. SRS0=HASH=DAY=DOMAIN=LOCAL@ours; one that was rewritten by others before becomes SRS1=HASH=THEIRS=...@ours. Pure. */
#ifndef MAIL_SRS_H
#define MAIL_SRS_H

#include "base/arena.h"
#include "base/err.h"

enum { SRS_DAYS = 21 }; /* how long a way back is open */

/* `secret`: of this store. `sender`: not "". `domain`: ours. `now`: microseconds. Falls back to the domain's own "SRS0=..." in quotes where the local part needs it. "": it would be too long
 * (64 octets are what a local part may have, RFC 5321 4.5.3.1.1, but 255 are let through): use the null sender then. */
str srs_forward(str secret, str sender, str domain, int64_t now, struct arena *a);
/* `local`: of an address in our domain. E_NOT_FOUND: not rewritten by us in form; E_DENIED: the hash does not fit, or it is too old (550 5.7.1). */
MUST_USE err srs_reverse(str secret, str local, int64_t now, str *sender, struct arena *a);

#endif
