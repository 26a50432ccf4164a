/* SPDX-License-Identifier: ISC */
/* What a record in a segment says beside the message's bytes: enough to bring all mail back from the segments alone. Its fields are in
 * the form of link/record.h; a change of them is a new kind of record (store/segment.h), and the old ones are still read.
 */
#ifndef STORE_ENVELOPE_H
#define STORE_ENVELOPE_H

#include "link/messages.h"
#include "store/segment.h"

/* A final recipient, in the ledger's order: of a mailbox here, or (mailbox 0) on another server, or of a mailbox here that is to get it later. */
#define FIELDS_envelope_rcpt(NUM, STR, LIST, BODY, FD)                                                                 \
	STR(address)  /* of the account; on another server: as it is said there */                                     \
	STR(original) /* of RCPT, "" the same */                                                                       \
	STR(orcpt)                                                                                                     \
	NUM(notify)                                                                                                    \
	NUM(mailbox)                                                                                                   \
	STR(name)                                                                                                      \
	NUM(uidvalidity)                                                                                               \
	NUM(uid) NUM(modseq)                                                                                           \
		NUM(expunged)    /* 1: no longer there when this copy of the record was written (compaction) */        \
		STR(destination) /* on another server: conf/relay.h; "" later here (store/release.h) */                \
		STR(sender)      /* and the reverse-path that is said there */                                         \
		NUM(settled) /* enum ledger_kind of its credit, when there was one as this copy was written; else 0 */ \
		NUM(quarantined)           /* 1: held until somebody releases it */                                    \
		NUM(item_flags) STR(trust) /* of the item: enum item_flag; what Pombo-Sender says, "" nothing */
#define FIELDS_envelope(NUM, STR, LIST, BODY, FD)                                                                      \
	NUM(id)                                                                                                        \
	NUM(received)                                                                                                  \
	STR(sender)                                                                                                    \
	LIST(origin, origin) /* exactly one */                                                                         \
		STR(envid) NUM(ret) NUM(flags) STR(message_id) STR(subject) LIST(envelope_rcpt, rcpts) NUM(hold_until) \
			NUM(deliver_by) NUM(by_mode) NUM(priority) /* as in accept_request */

/* The same in a record of the kind SEGMENT_MESSAGE_2. */
#define FIELDS_envelope_rcpt_2(NUM, STR, LIST, BODY, FD)                                                  \
	STR(address)                                                                                      \
	STR(original)                                                                                     \
	STR(orcpt) NUM(notify) NUM(mailbox) STR(name) NUM(uidvalidity) NUM(uid) NUM(modseq) NUM(expunged) \
		STR(destination) STR(sender) NUM(settled)
#define FIELDS_envelope_2(NUM, STR, LIST, BODY, FD)                                                                   \
	NUM(id)                                                                                                       \
	NUM(received)                                                                                                 \
	STR(sender)                                                                                                   \
	LIST(origin, origin) STR(envid) NUM(ret) NUM(flags) STR(message_id) STR(subject) LIST(envelope_rcpt_2, rcpts) \
		NUM(hold_until) NUM(deliver_by) NUM(by_mode) NUM(priority)

/* The same in a record of the kind SEGMENT_MESSAGE_1. */
#define FIELDS_envelope_rcpt_1(NUM, STR, LIST, BODY, FD) \
	STR(address)                                     \
	STR(original) STR(orcpt) NUM(notify) NUM(mailbox) STR(name) NUM(uidvalidity) NUM(uid) NUM(modseq) NUM(expunged)
#define FIELDS_envelope_1(NUM, STR, LIST, BODY, FD) \
	NUM(id)                                     \
	NUM(received)                               \
	STR(sender)                                 \
	LIST(origin, origin) STR(envid) NUM(ret) NUM(flags) STR(message_id) STR(subject) LIST(envelope_rcpt_1, rcpts)

/* Items that were expunged. */
#define FIELDS_tombstone(NUM, STR, LIST, BODY, FD)  NUM(message) NUM(mailbox) NUM(uid)
#define FIELDS_tombstones(NUM, STR, LIST, BODY, FD) LIST(tombstone, items)

/* Items that went from a mailbox to another one of the same account; `address` is the account's, what follows the other mailbox. */
#define FIELDS_moved(NUM, STR, LIST, BODY, FD) NUM(message) NUM(from_uid) NUM(uid) NUM(modseq) NUM(flags)
#define FIELDS_moves(NUM, STR, LIST, BODY, FD) \
	NUM(from) STR(address) NUM(mailbox) STR(name) NUM(uidvalidity) LIST(moved, items)

RECORD_C(envelope_rcpt)
RECORD_C(envelope)
RECORD_C(envelope_rcpt_2)
RECORD_C(envelope_2)
RECORD_C(envelope_rcpt_1)
RECORD_C(envelope_1)
RECORD_C(tombstone)
RECORD_C(tombstones)
RECORD_C(moved)
RECORD_C(moves)

/* Views of `out` point into the record. E_SYNTAX: not what a writer wrote. */
MUST_USE err envelope_unpack(const struct segment_record *record, struct envelope *out, struct arena *a);
MUST_USE err tombstones_unpack(str packed, struct tombstones *out, struct arena *a);
MUST_USE err moves_unpack(str packed, struct moves *out, struct arena *a);

/* The header fields that an item is served with in front of the stored bytes (RFC 5321 4.4): Return-Path, Delivered-To for each address by
 * which the message came to `mailbox`, and Pombo-Sender. */
str envelope_prefix(const struct envelope *e, uint64_t mailbox, struct arena *a);

/* The same for who knows which recipients are behind a mailbox: each is added, in the envelope's order. */
enum { PREFIX_ADDRESSES_MAX = 16 };
struct prefix {
	struct buf text;
	str seen[PREFIX_ADDRESSES_MAX];
	size_t n;
	str trust; /* of the first that has any */
};
void prefix_begin(struct prefix *p, const struct envelope *e);
void prefix_add(struct prefix *p, const struct envelope_rcpt *rcpt);
str prefix_end(struct prefix *p, struct arena *a);

#endif
