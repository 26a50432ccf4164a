/* SPDX-License-Identifier: ISC */
/* The results of authentication methods (RFC 8601 2.7). */
#ifndef MAILAUTH_RESULT_H
#define MAILAUTH_RESULT_H

#include "base/str.h"

enum auth_result {
	AUTH_NONE,
	AUTH_PASS,
	AUTH_FAIL,
	AUTH_SOFTFAIL,
	AUTH_NEUTRAL,
	AUTH_POLICY,
	AUTH_TEMPERROR,
	AUTH_PERMERROR
};
str auth_result_name(enum auth_result r);                        /* "pass" ... */
MUST_USE bool auth_result_find(str name, enum auth_result *out); /* in lower case; false: there is none of that name */

#endif
