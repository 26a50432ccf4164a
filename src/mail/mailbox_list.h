/* SPDX-License-Identifier: ISC */
/* The addresses of a header field: address-list of RFC 5322 3.4 with the obsolete syntax of 4.4 and UTF-8 (RFC 6532), groups allowed (RFC
 * 6854). Strict: what could be read in two ways is refused, so that nobody shows an address that was not looked at. Pure. */
#ifndef MAIL_MAILBOX_LIST_H
#define MAIL_MAILBOX_LIST_H

#include "base/arena.h"
#include "base/err.h"

enum { MAILBOX_LIST_MAX = 100 };

struct mailbox_list {
	str *addresses; /* local@domain without comments, blanks and display names; members of groups too */
	size_t n;
};
/* `value`: of a field, may be folded. A field without any address (an empty group, nothing at all) has none. E_SYNTAX; E_LIMIT: more than
 * MAILBOX_LIST_MAX, or the arena is full. Neither names a reply. */
MUST_USE err mailbox_list_parse(str value, struct arena *a, struct mailbox_list *out);

#endif
