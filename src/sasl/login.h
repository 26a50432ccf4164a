/* SPDX-License-Identifier: ISC */
/* The LOGIN mechanism (draft-murchison-sasl-login): asks for the name, then for the password. Obsolete, and what many clients still do. */
#ifndef SASL_LOGIN_H
#define SASL_LOGIN_H

#include "base/err.h"
#include "base/str.h"

struct login {
	size_t user_n;
	char user[512];
};

/* What the client said, has_response false at the beginning: nothing yet. OK: `challenge` is to be sent; its p is NULL when all is there, the
 * name in `user`, and `response` is the password. E_SYNTAX. */
MUST_USE err login_step(struct login *l, str response, bool has_response, str *challenge);

#endif
