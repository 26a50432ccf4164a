/* SPDX-License-Identifier: ISC */
/* validator - says whether a bearer token is good and whose it is: by asking the server that issued it (introspection, RFC 7662), or by its signature
 * (JWT, RFC 9068). What it reads is hostile: tokens come from anybody. It owns nothing but the secret that it asks with.
 */
#ifndef OAUTH_VALIDATOR_H
#define OAUTH_VALIDATOR_H

#include "link/link.h"
#include "oauth/setup.h"

struct validator; /* of one loop */
/* `fetch` of `outside` NULL: http_fetch. NULL: no memory. */
MUST_USE struct validator *validator_new(const struct outside *outside);
void validator_free(struct validator *v); /* when no validator_ask is under way; NULL allowed */

/* What counts from now on. An error: what was before counts. `files` NULL: as they were. */
MUST_USE err validator_configure(struct validator *v, struct config *config, const struct setup_files *files);

/* The call `token`. Parks. E_TEMP (454 4.7.0): whoever knows cannot be asked now, err_info says why; E_CANCELLED. */
MUST_USE err validator_ask(struct validator *v, const struct token_request *q, struct token_reply *r, struct arena *a);

#endif
