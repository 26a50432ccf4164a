/* SPDX-License-Identifier: ISC */
/* jwt - a signed token (RFC 7519, RFC 7515, as an access token RFC 9068), taken apart. Nothing of it is true before its signature was verified (jwks.h). Pure.
 */
#ifndef OAUTH_JWT_H
#define OAUTH_JWT_H

#include "rt/json.h"
#include "rt/signature_jose.h"

enum { JWT_MAX = 16 << 10 }; /* octets */

struct jwt {
	const struct jose_algorithm *algorithm; /* never none, and never one with a shared secret (RFC 8725 3.1) */
	str kid;                                /* which key, "" not said */
	str signed_part, signature;             /* the first is a view into the token */
	json_t *claims;                         /* an object */
};
/* The rest of `out` is in `a`; jwt_free after OK. E_SYNTAX: it is none, or one that is not for this; E_LIMIT. */
MUST_USE err jwt_read(str token, struct arena *a, struct jwt *out);
void jwt_free(struct jwt *t);

#endif
