/* SPDX-License-Identifier: ISC */
/* mailbox_name - mailboxes of an account by their names. */
#ifndef STORE_MAILBOX_NAME_H
#define STORE_MAILBOX_NAME_H

#include "store/state.h"

#define MAILBOX_JUNK  STR("Junk")
#define MAILBOX_TRASH STR("Trash")

enum { MAILBOX_NAME_MAX = 255 }; /* octets */

/* Is it a name that a mailbox can have (RFC 9051 5.1)? `out`: as it is kept, a view of `name` or of a constant: INBOX is the one name whose case does not matter.
 * E_SYNTAX with the reason. */
MUST_USE err mailbox_name_check(str name, str *out);

/* *mailbox 0: there is none of that name. */
MUST_USE err mailbox_find(struct db *db, uint64_t account, str name, uint64_t *mailbox);
/* Parks. The same, and it is made when there is none. E_NOT_FOUND: there is no such account any more. */
MUST_USE err mailbox_ensure(struct store *s, uint64_t account, str name, uint64_t *mailbox);

#endif
