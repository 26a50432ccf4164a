/* SPDX-License-Identifier: ISC */
/* The maildrop (RFC 1939 5): the messages there were when the session logged in, numbered from 1, and the marks of DELE. */
#ifndef POP3_MAILDROP_H
#define POP3_MAILDROP_H

#include "link/link.h"

struct maildrop {
	struct link *store;
	str session;
	bool open;
	uint64_t mailbox, uidvalidity;
	const struct mailbox_entry *entries; /* message n is entries[n - 1] */
	bool *deleted;                       /* one for each entry */
	size_t n;
};

struct maildrop_totals {
	size_t messages;
	uint64_t octets;
};

/* Locks the account's INBOX for this session. Everything lives in `memory`. E_BUSY: another session has it; and what
 * call_mailbox_open returns. */
MUST_USE err maildrop_open(struct maildrop *m, uint64_t account, struct arena *memory);

/* The index of the message with this number as typed; false: none, or marked as deleted. */
MUST_USE bool maildrop_find(const struct maildrop *m, str number, size_t *index);

struct maildrop_totals maildrop_totals(const struct maildrop *m); /* of the messages not marked */
size_t maildrop_marked(const struct maildrop *m);
void maildrop_reset(struct maildrop *m); /* takes all marks away */

/* Removes the messages that are marked, all or none. Whatever call_mailbox_expunge returns. */
MUST_USE err maildrop_expunge(struct maildrop *m);

#endif
