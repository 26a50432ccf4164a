/* SPDX-License-Identifier: ISC */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdio.h>

#include "link/messages.h"

/* Rows of the store's answer as lines for people: a heading for each message, then its events. Text of peers is escaped. */
void trace_tell(FILE *out, const struct row *rows, size_t n);

#endif
