/* SPDX-License-Identifier: ISC */
/* prepare - user names and passwords in the one form in which they are compared: SASLprep (RFC 4013), which PLAIN
 * (RFC 4616) and SCRAM (RFC 5802) ask for and clients apply. An accent typed as a letter of its own, a full-width
 * letter, a blank of another kind are the same as the usual one. ASCII is its own form, and costs nothing.
 * Characters that are younger than the standard's tables (Unicode 3.2) stay as they are.
 */
#ifndef SASL_PREPARE_H
#define SASL_PREPARE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Of what somebody says: the text itself when it has no such form, or for want of memory. In `a`, which wipes
 * nothing. */
str prepare(str text, struct arena *a);
/* Of what is to be kept. E_SYNTAX: it has no such form, or nothing is left of it; the error's text says why.
 * E_LIMIT: no room. */
MUST_USE err prepare_strictly(str text, struct buf *out);

#endif
