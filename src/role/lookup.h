/* SPDX-License-Identifier: ISC */
/* lookup - `dns lookup NAME TYPE` of the command line: asks the resolver of the running server. */
#ifndef ROLE_LOOKUP_H
#define ROLE_LOOKUP_H

#include "role/children.h"

/* A row for each record, or one that says why there is none: name, ttl, type, security, rcode, why, data. `data` is as it came: the monitor reads
 * nothing of it. E_SYNTAX: the words are no question; E_TEMP: the resolver is away. */
MUST_USE err lookup_serve(const struct children *all, const struct admin_request *q, struct admin_reply *reply,
                          struct arena *a);

#endif
