/* SPDX-License-Identifier: ISC */
/* send_fate - what became of a message, recipient by recipient, for people and for scripts. */
#ifndef CLI_SEND_FATE_H
#define CLI_SEND_FATE_H

#include "cli/send_letter.h"

/* Waits until `end`, prints each recipient's fate as it is known, and at the end of those that are not. The exit status: OK when everything is in a mailbox or was taken by the
 * next server, EX_TEMPFAIL when some are still on their way, EX_UNAVAILABLE when one failed. */
int send_fate_wait(const struct invocation *inv, const struct send_options *o, struct submit *s, str id, nsec end);
/* A recipient that the server refused at once, if only for now: nobody tries again. */
void send_fate_refused(const struct send_options *o, const struct smtp_send_rcpt *r, str id);
/* Taken by our server, and nobody waits for more. */
void send_fate_taken(const struct send_options *o, const struct smtp_send_rcpt *r, str server, str id);

#endif
