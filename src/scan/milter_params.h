/* SPDX-License-Identifier: ISC */
/* milter_params - the parameters of MAIL and RCPT (RFC 5321 4.1.1.11) as a milter is told them: words that end with NUL. Made anew of what the message is known by, not the octets that the
 * client said; SIZE, ENVID, RET and others that say nothing about the message itself are not among them. */
#ifndef SCAN_MILTER_PARAMS_H
#define SCAN_MILTER_PARAMS_H

#include "base/buf.h"
#include "link/messages.h"

/* Bits of enum message_flag: BODY, SMTPUTF8, REQUIRETLS. */
void milter_mail_params(struct buf *out, uint64_t flags);
/* NOTIFY, ORCPT (RFC 3461). */
void milter_rcpt_params(struct buf *out, const struct rcpt *r);

#endif
