/* SPDX-License-Identifier: ISC */
/* sessions - which session of which process may use which accounts, has which mailboxes open, and holds which locks. In memory of
 * the loop's thread. */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include "base/map.h"

struct sessions {
	struct map by_name; /* process NUL session */
	struct map locks;   /* mailbox id: the session that holds it */
};

void sessions_init(struct sessions *s);
void sessions_free(struct sessions *s);

MUST_USE err sessions_grant(struct sessions *s, str process, str session,
                            uint64_t account); /* E_LIMIT, E_MEMORY, E_SYNTAX */
void sessions_end(struct sessions *s, str process, str session);
void sessions_process_gone(struct sessions *s, str process);
void sessions_revoke(struct sessions *s, uint64_t account); /* nobody may use it any more without another login: it was removed or disabled, or a credential was */

/* E_DENIED (451 4.7.0: who logs in again may) unless the account was granted to this session; the mailbox was opened by it. */
MUST_USE err sessions_check_account(const struct sessions *s, str process, str session, uint64_t account);
MUST_USE err sessions_check_mailbox(const struct sessions *s, str process, str session, uint64_t mailbox);

/* Notes that the session has it open, which check_mailbox then allows. exclusive: E_BUSY when another session holds the lock. */
MUST_USE err sessions_open(struct sessions *s, str process, str session, uint64_t account, uint64_t mailbox,
                           bool exclusive);

#endif
