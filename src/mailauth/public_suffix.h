/* SPDX-License-Identifier: ISC */
/* public_suffix - under which names anybody may register (publicsuffix.org); libpsl does it. */
#ifndef MAILAUTH_PUBLIC_SUFFIX_H
#define MAILAUTH_PUBLIC_SUFFIX_H

#include "base/arena.h"
#include "base/err.h"

/* The list from now on: the text of a file; "" the one that libpsl brings. E_SYNTAX: it has no rule; what was used before stays. */
MUST_USE err public_suffix_use(str list);
/* The public suffix and one label more: "example.co.uk" of "www.example.co.uk". STR_NONE: `name` is a public suffix itself, or no name. `name`: lower case,
 * A-labels, no final dot. A view into `name`. */
str public_suffix_registered(str name);

#endif
