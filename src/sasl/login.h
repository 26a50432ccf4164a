/* SPDX-License-Identifier: ISC */
/* login - what `keys` does when somebody says who he is: fetches the hash from the store, verifies in a worker thread, grants the
 * session its account. Unknown user, wrong password and disabled account take the same time and get the same answer.
 */
#ifndef SASL_LOGIN_H
#define SASL_LOGIN_H

#include "link/link.h"

struct login_service; /* remembers failures by client address to slow guessing down */
MUST_USE struct login_service *login_service_new(struct link *store);
void login_service_free(struct login_service *l);
/* `edge` names the asking process. E_DENIED: not accepted (535 5.7.8); E_BUSY: too many failures lately (454 4.7.0); E_TEMP: store away. */
MUST_USE err login_serve(struct login_service *l, const char *edge, const struct login_request *q, struct login_reply *r,
                         struct arena *a);

#endif
