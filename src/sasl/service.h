/* SPDX-License-Identifier: ISC */
/* service - what `keys` does when somebody says who he is: leads SASL exchanges, gets what is kept of the password
 * from the store, and grants the session its account. Unknown user, wrong password and disabled account take the
 * same time and get the same answer; guessing is slowed down (guess.h). Each failure is one line of the log:
 * ev=login.failed client=ADDRESS service=NAME ... ; what the client typed stands behind that, quoted.
 */
#ifndef SASL_SERVICE_H
#define SASL_SERVICE_H

#include "conf/config.h"
#include "link/link.h"

struct sasl_service; /* of one loop */
/* `oauth`: who knows tokens; NULL nobody. NULL: no memory. */
MUST_USE struct sasl_service *sasl_service_new(struct link *store, struct link *oauth);
void sasl_service_free(struct sasl_service *s);                                   /* when no sasl_serve is under way */
void sasl_service_configure(struct sasl_service *s, const struct config *config); /* kept until the next */

/* The call `auth` (link/messages.h says what it returns). `edge` names the asking process. */
MUST_USE err sasl_serve(struct sasl_service *s, const char *edge, const struct auth_request *q, struct auth_reply *r,
                        struct arena *a);
/* That process is gone: so are its exchanges. */
void sasl_service_process_gone(struct sasl_service *s, const char *edge);

#endif
