/* SPDX-License-Identifier: ISC */
/* forward - where the mail of an account goes as its user's .forward says. The monitor looks at the files and tells the store what is in them
 * (verbs `forward list` and `forward set`); they count for accounts of the domain that the setting `unix-users` names, and in route.c alone: a
 * .forward makes nobody an identity of anybody. */
#ifndef STORE_FORWARD_H
#define STORE_FORWARD_H

#include "base/arena.h"
#include "mail/forward.h"
#include "store/db.h"

struct forward_targets {
	str *address;
	size_t n;
};

/* All of them, in `a`. Any thread that may use `db`. E_LIMIT: no memory in `a`. */
MUST_USE err forward_targets(struct db *db, uint64_t account, struct arena *a, struct forward_targets *out);

#endif
