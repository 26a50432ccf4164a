/* SPDX-License-Identifier: ISC */
/* client_fate - the reply to XFATE (client.h has its grammar). Pure. */
#ifndef SMTP_CLIENT_FATE_H
#define SMTP_CLIENT_FATE_H

#include "base/arena.h"
#include "base/err.h"
#include "link/messages.h"

/* `lines` as of reply_take_line. Strings and the list are in the arena. E_SYNTAX; E_LIMIT: the arena is full. */
MUST_USE err fate_parse(str lines, struct fate_reply *out, struct arena *a);

#endif
