/* SPDX-License-Identifier: ISC */
/* srs - the sender rewriting scheme: a forwarded message leaves with a reverse-path of ours, from which the first sender is found again when
 * it comes back. SRS0=HASH=DAY=DOMAIN=LOCAL@ours; one that was rewritten by others before becomes SRS1=HASH=THEIRS=REST@ours, where REST is what stands
 * behind their "SRS0". Case does not matter: what was changed on the way to lower case comes back all the same. Pure. */
#ifndef MAIL_SRS_H
#define MAIL_SRS_H

#include "base/arena.h"
#include "base/err.h"

enum { SRS_DAYS = 21 }; /* how long a way back is open */

/* `secret`: of this store. `sender`: not "". `domain`: ours; a sender in it stays as he is. `now`: microseconds. Puts the local part in quotes where it needs them.
 * "": it would be too long (a path has 256 octets; the local part may have more than RFC 5321 4.5.3.1.1 allows, which nobody holds against SRS),
 * or there is no memory: use the null sender then. */
str srs_forward(str secret, str sender, str domain, int64_t now, struct arena *a);
/* `local`: of an address in our domain, with or without its quotes. E_NOT_FOUND: not rewritten by us in form; E_DENIED: the hash does not fit, or it is too old (550 5.7.1);
 * E_MEMORY, E_LIMIT: no memory. */
MUST_USE err srs_reverse(str secret, str local, int64_t now, str *sender, struct arena *a);

#endif
