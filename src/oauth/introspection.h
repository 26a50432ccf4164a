/* SPDX-License-Identifier: ISC */
/* introspection - asking the server that issued it about a token (RFC 7662): the question's and the answer's text. Pure. */
#ifndef OAUTH_INTROSPECTION_H
#define OAUTH_INTROSPECTION_H

#include "base/buf.h"
#include "oauth/claims.h"

enum { INTROSPECTION_MAX = 64 << 10 }; /* octets of an answer */

/* RFC 7662 2.1, as a form. Nothing else than the token is in it. */
void introspection_ask(str token, struct buf *out);
/* As in a form (RFC 6749 B): what a client's name and password are encoded with for basic authentication (RFC 6749 2.3.1). */
void introspection_encode(str in, struct buf *out);
/* E_DENIED: the token is not good, err_info says why; E_SYNTAX, E_LIMIT: this is no answer. `out` in `a`. */
MUST_USE err introspection_read(str json, const struct claims_rules *rules, struct arena *a, struct claims *out);

#endif
