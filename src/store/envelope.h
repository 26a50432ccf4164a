/* SPDX-License-Identifier: ISC */
/* What a record in a segment says beside the message's bytes: enough to bring all mail back from the segments alone. Its fields are in
 * the form of link/record.h; a change of them is a new SEGMENT_VERSION.
 */
#ifndef STORE_ENVELOPE_H
#define STORE_ENVELOPE_H

#include "link/messages.h"

/* A final recipient, in the ledger's order. */
#define FIELDS_envelope_rcpt(NUM, STR, LIST, BODY, FD)               \
	STR(address)  /* of the account */                           \
	STR(original) /* of RCPT, "" the same */                     \
	STR(orcpt)                                                   \
	NUM(notify)                                                  \
	NUM(mailbox) STR(name) NUM(uidvalidity) NUM(uid) NUM(modseq) \
		NUM(expunged) /* 1: no longer there when this copy of the record was written (compaction) */
#define FIELDS_envelope(NUM, STR, LIST, BODY, FD)          \
	NUM(id)                                            \
	NUM(received)                                      \
	STR(sender) LIST(origin, origin) /* exactly one */ \
		STR(envid) NUM(ret) NUM(flags) STR(message_id) STR(subject) LIST(envelope_rcpt, rcpts)

/* Items that were expunged. */
#define FIELDS_tombstone(NUM, STR, LIST, BODY, FD)  NUM(message) NUM(mailbox) NUM(uid)
#define FIELDS_tombstones(NUM, STR, LIST, BODY, FD) LIST(tombstone, items)

RECORD_C(envelope_rcpt)
RECORD_C(envelope)
RECORD_C(tombstone)
RECORD_C(tombstones)

/* Views of `out` point into `packed`. E_SYNTAX: not what a writer wrote. */
MUST_USE err envelope_unpack(str packed, struct envelope *out, struct arena *a);
MUST_USE err tombstones_unpack(str packed, struct tombstones *out, struct arena *a);

/* The header fields that an item is served with in front of the stored bytes (RFC 5321 4.4): Return-Path, and Delivered-To for each address by
 * which the message came to `mailbox`. */
str envelope_prefix(const struct envelope *e, uint64_t mailbox, struct arena *a);

#endif
