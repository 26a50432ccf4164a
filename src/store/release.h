/* SPDX-License-Identifier: ISC */
/* release - mail for mailboxes here that its sender holds back until a time (RFC 4865): a row of `queue` whose destination is "", until a coroutine
 * puts the message into the mailbox. */
#ifndef STORE_RELEASE_H
#define STORE_RELEASE_H

#include "store/state.h"

MUST_USE err release_start(struct store *s);
void release_stop(struct store *s); /* asks; store_close waits */
void release_wake(struct store *s); /* rows came or changed */

#endif
