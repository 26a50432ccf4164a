/* SPDX-License-Identifier: ISC */
/* login - what `keys` does when somebody says who he is: fetches the hash from the store, verifies in a worker thread, grants the
 * session its account. Unknown user, wrong password and disabled account take the same time and get the same answer.
 *
 * Guessing is slowed down by client address (IPv6: /64; never for loopback): after 5 failures within a minute each further
 * attempt waits, up to 5 s; beyond 20 it is refused without a look, and one more attempt is allowed every 12 s. Each failure is
 * one line of the log: ev=login.failed client=ADDRESS service=NAME ... ; what the client typed stands behind that, quoted.
 *
 * A password that was right is remembered for 5 minutes, as a keyed digest together with the hash it was checked against: the
 * next login costs microseconds, and a changed password counts at once.
 */
#ifndef SASL_LOGIN_H
#define SASL_LOGIN_H

#include "link/link.h"

struct login_service;                                                 /* of one loop */
MUST_USE struct login_service *login_service_new(struct link *store); /* NULL: no memory */
void login_service_free(struct login_service *l);                     /* when no login_serve is under way */
/* `edge` names the asking process. E_DENIED: not accepted (535 5.7.8); E_BUSY: too many failures lately, or too many logins at
 * once (454 4.7.0); E_TEMP: store away. */
MUST_USE err login_serve(struct login_service *l, const char *edge, const struct login_request *q,
                         struct login_reply *r, struct arena *a);

#endif
