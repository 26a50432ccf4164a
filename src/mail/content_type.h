/* SPDX-License-Identifier: ISC */
/* content_type - values of Content-Type and its like (RFC 2045 5.1): a token or two and parameters, with comments, folds and quoted strings anywhere. Pure, lenient. */
#ifndef MAIL_CONTENT_TYPE_H
#define MAIL_CONTENT_TYPE_H

#include "base/arena.h"
#include "base/str.h"

struct content_type {
	str type, subtype;
	str params; /* what is behind them, for content_type_param */
};
/* False: it is none, which counts as text/plain (RFC 2045 5.2). Views into `value`. */
MUST_USE bool content_type_parse(str value, struct content_type *out);
/* Takes the next parameter off *params, its value without quotes (`a` NULL: without undoing what is quoted in it); name "" where there is none between semicolons. False: there is
 * no more, or what follows is malformed. Views into *params, or `a`. */
bool content_type_next(str *params, struct arena *a, str *name, str *value);
/* The first parameter of that name, without quotes; STR_NONE: none, malformed before it was found, or no memory. A view into `params`, or `a`. RFC 2231's continuations are not
 * put together: mail/mime.h does. */
str content_type_param(str params, str name, struct arena *a);
/* The first token, as of Content-Transfer-Encoding: "" none. */
str content_type_token(str value);

#endif
