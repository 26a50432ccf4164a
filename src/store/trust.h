/* SPDX-License-Identifier: ISC */
/* trust - what is known of the author of a message, as readers see it: keywords of the message in the mailbox, and one sentence in a header field. Pure. */
#ifndef STORE_TRUST_H
#define STORE_TRUST_H

#include "link/messages.h"

struct trust {
	uint64_t flags; /* bits of enum item_flag */
	str sentence;   /* of the header field Pombo-Sender; "" none */
};
/* `known`: of the author to the reader. STR_NONE in `sentence`: no memory. */
struct trust trust_of(const struct author *author, const struct contact *known, struct arena *a);

/* Keywords of `flags` as they are called, separated by blanks. */
void trust_keywords(struct buf *out, uint64_t flags);

#endif
