/* SPDX-License-Identifier: ISC */
/* own_mail - mail that this process writes itself, but for failure reports: signed, and given to the store, which queues it. Nobody is told when it cannot be delivered. Parks. */
#ifndef RELAY_OWN_MAIL_H
#define RELAY_OWN_MAIL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct relay;
struct own_mail {
	str from, to, message_id, subject;
	struct buf *text; /* whole, and of our own */
};
str own_mail_domain(const struct relay *r);                   /* our first one, whose postmaster writes */
str own_mail_contact(const struct relay *r, struct arena *a); /* that postmaster */
/* E_TEMP: it may work later; else what the store says of the recipient. */
MUST_USE err own_mail_send(struct relay *r, const struct own_mail *m, struct arena *a);

#endif
