/* SPDX-License-Identifier: ISC */
/* removal - header fields of a message that are not kept: those that say they are ours, and what others wrote for our readers' programs. Pure. */
#ifndef FILTER_REMOVAL_H
#define FILTER_REMOVAL_H

#include "link/messages.h"

struct removal {
	str hostname;     /* ours: Authentication-Results that say they are from it go (RFC 8601 5) */
	bool spam_fields; /* X-Spam-Flag and X-Spam-Status go, too */
	str before; /* the message as it came, before programs of ours changed it: what they added stays; empty: they did not */
};
/* Adds them to what reply->drop has already: in order, apart from each other. E_LIMIT (554 5.6.0): nobody has so many of them, or one
 * hides behind a line that is no field; E_MEMORY. */
MUST_USE err removal_add(const struct removal *how, str message, struct inspect_reply *reply, struct arena *a);

/* Appends the message's header, its empty line left out, without what `drop` takes. */
void removal_apply(str message, const struct range *drop, size_t n, struct buf *header);

#endif
