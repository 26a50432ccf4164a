/* SPDX-License-Identifier: ISC */
/* explain - why a message went where it went, for people: what message, the checks, the rules with their points and the sum, the decision. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdio.h>

#include "base/err.h"
#include "link/messages.h"

/* Rows as the store's verbs `explain` and `quarantine show` answer with. Text of peers is escaped. E_MEMORY. */
MUST_USE err explain_tell(FILE *out, const struct row *rows, size_t n);

#endif
