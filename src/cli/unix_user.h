/* SPDX-License-Identifier: ISC */
/* unix_user - who runs this, as mail knows him on a Unix machine. */
#ifndef CLI_UNIX_USER_H
#define CLI_UNIX_USER_H

#include "mail/compose.h"

/* His name (GECOS) and login@domain; the domain is what /etc/mailname says, else the machine's name. */
struct compose_person unix_user(struct arena *a);
str unix_mail_name(struct arena *a); /* that domain */

#endif
