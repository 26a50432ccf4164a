/* SPDX-License-Identifier: ISC */
/* signing - private keys, of TLS and of domains, and what others may have signed with them. */
#ifndef ROLE_SIGNING_H
#define ROLE_SIGNING_H

#include "link/messages.h"

struct signing_keys;

struct signing { /* all zero: no keys */
	struct signing_keys *now;
	struct signing_keys *before; /* handshakes that began before the last change end with these */
	struct signing_keys *coming; /* the parts that are there of what replaces them */
};

/* From now on these, or more, or when the last part is there (certify_request). E_SYNTAX: a certificate's key cannot be used, or a part is missing; everything
 * stays as it was. Keys of domains are read when they first sign. */
MUST_USE err signing_replace(struct signing *s, const struct certify_request *q);
/* For a handshake; for a message (SIGN_DIGEST). The keys of one are not there for the other. */
MUST_USE err signing_serve(const struct signing *s, const struct sign_request *q, struct sign_reply *r,
                           struct arena *a);
MUST_USE err signing_serve_domain(const struct signing *s, const struct sign_request *q, struct sign_reply *r,
                                  struct arena *a);
void signing_free(struct signing *s);

#endif
