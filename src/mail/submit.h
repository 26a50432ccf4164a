/* SPDX-License-Identifier: ISC */
/* submit - what a message submission agent does to the message of somebody who is logged in (RFC 6409 6.1, 8). Pure. */
#ifndef MAIL_SUBMIT_H
#define MAIL_SUBMIT_H

#include "mail/inspect.h"

/* Refuses a header that programs could read in different ways: not ended by an empty line, NUL or a bare CR in it, not exactly one From, several
 * Sender, addresses that are none (550 5.6.0). Fills `authors` (every address of From, then that of Sender, then those of Resent-From and Resent-Sender), `headers` (Date, Message-ID and
 * Sender where they are missing; RFC 5322 3.6.2: several authors need a Sender, which of a local program is the reverse-path), message_id if it was missing, and `drop`: Bcc fields, and the line
 * of a mailbox file in front of all. Out of memory: a->full. */
void submit_message(const struct inspect_request *request, const struct inspect_options *options,
                    struct inspect_reply *reply, struct arena *a);

#endif
