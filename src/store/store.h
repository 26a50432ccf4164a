/* SPDX-License-Identifier: ISC */
/* store - the data folder: accounts, mailboxes, messages, the ledger. Everything durable is here and nowhere else.
 *
 *   data/pombo.db           SQLite, WAL, synchronous=FULL (schema.sql is the one page that shows all state)
 *   data/bodies/0000000042  append-only segments: {magic, length, crc32c, envelope, body}
 *   data/lock               held by the one process that has the store open
 *
 * Changes go through one writer thread that batches: the segment's bytes of the batch are written and synced, then one COMMIT,
 * then all callers are answered. Calls park the coroutine. docs/queue.md names every state and what a crash leaves in it.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "conf/config.h"
#include "link/messages.h"
#include "rt/rt.h"

struct store;

/* Opens or creates the store in the folder `path` ("/" when it is the process's root), takes its lock, repairs what a crash left and starts
 * the writer. E_BUSY: another process has it. E_IO, E_PERM (a newer schema). Needs a running loop. */
MUST_USE err store_open(const char *path, struct config *config, struct store **out);
/* Finishes what was asked for, checkpoints, closes. */
void store_close(struct store *s);
void store_configure(struct store *s, struct config *config); /* reload */

/* One function a call of the message table; requests stay the caller's, replies live in `a`. The contract is in link/messages.h.
 * `from` names the asking process ("edge-0"): grants and locks belong to a session of one process. */
/* E_DENIED: the account was not granted to this session. */
MUST_USE err store_rcpt_check(struct store *s, const char *from, const struct rcpt_check_request *q,
                              struct rcpt_check_reply *r, struct arena *a);
/* After OK every recipient whose answer is OK is on stable storage: the caller may say 250. E_FULL (452), E_TEMP (451): nothing was kept. E_LIMIT
 * (450 4.7.1): the login sends too much. E_DENIED: the account was not granted to this session; 550 5.7.1: it may not write as that. */
MUST_USE err store_accept(struct store *s, const char *from, const struct accept_request *q, struct accept_reply *r,
                          struct arena *a);
/* The same, asked by `send`, which has no session: a report from a postmaster of ours to one recipient, wherever he is. The id is taken here; of the request
 * count sender, recipient, message_id, subject, body, and MESSAGE_TLS_OPTIONAL. E_PERM (554 5.7.1): any other mail. */
MUST_USE err store_accept_own(struct store *s, const struct accept_request *q, struct accept_reply *r, struct arena *a);
/* A message that is not ours. Returns at once; what is known of it is in the database a moment later. */
MUST_USE err store_refuse(struct store *s, const struct refuse_request *q);
/* Asked by filters. */
MUST_USE err store_history(struct store *s, const struct history_request *q, struct history_reply *r, struct arena *a);
MUST_USE err store_model(struct store *s, const struct model_request *q, struct model_reply *r, struct arena *a);
MUST_USE err store_lesson(struct store *s, const char *from, const struct lesson_request *q, struct lesson_reply *r,
                          struct arena *a);
/* Asked by send. */
MUST_USE err store_tally(struct store *s, const struct tally_request *q, struct tally_reply *r, struct arena *a);
MUST_USE err store_credential(struct store *s, const struct credential_request *q, struct credential_reply *r,
                              struct arena *a);
MUST_USE err store_grant(struct store *s, const struct grant_request *q);
MUST_USE err store_mailbox_open(struct store *s, const char *from, const struct mailbox_open_request *q,
                                struct mailbox_open_reply *r, struct arena *a);
MUST_USE err store_mailbox_read(struct store *s, const char *from, const struct mailbox_read_request *q,
                                struct mailbox_read_reply *r, struct arena *a);
MUST_USE err store_mailbox_expunge(struct store *s, const char *from, const struct mailbox_expunge_request *q);
MUST_USE err store_session_end(struct store *s, const char *from, const struct session_end_request *q);
void store_process_gone(struct store *s, const char *from); /* drops grants and locks of all its sessions */

/* The verbs of the command line that an open store answers (admin.c): account, alias, trace, balance, store verify, compact, stats. What works on the
 * files by itself is in store/backup.h and store/rebuild.h. */
MUST_USE err store_admin(struct store *s, const struct admin_request *q, struct admin_reply *r, struct arena *a);

#endif
