/* SPDX-License-Identifier: ISC */
/* base64url - the alphabet for URLs, without padding (RFC 4648 5, RFC 7515 2). Strict. */
#ifndef OAUTH_BASE64URL_H
#define OAUTH_BASE64URL_H

#include "base/arena.h"
#include "base/err.h"

/* `out` in `a`. E_SYNTAX: another octet, padding, bits left over, or nothing at all; E_LIMIT: no memory. */
MUST_USE err base64url_decode(str in, struct arena *a, str *out);

#endif
