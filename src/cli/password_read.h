/* SPDX-License-Identifier: ISC */
#ifndef CLI_PASSWORD_READ_H
#define CLI_PASSWORD_READ_H

#include "base/buf.h"
#include "base/err.h"

/* A password from the terminal, without echo and twice, or one line of standard input when that is no terminal. The line's end is not
 * part of it, anything else is. E_SYNTAX: empty, or the two differ; E_LIMIT: too long; E_CANCELLED: interrupted. */
MUST_USE err password_read(struct buf *out);
/* One that is there already, from the terminal, whatever standard input is. E_DENIED: there is none. */
MUST_USE err password_ask(const char *question, struct buf *out);

#endif
