/* SPDX-License-Identifier: ISC */
/* delivered - the report that a sender asked for with NOTIFY=SUCCESS (RFC 3461 4.1), when his message is in mailboxes here. */
#ifndef STORE_DELIVERED_H
#define STORE_DELIVERED_H

#include "store/acceptance.h"

/* After the commit. Returns at once; the report is accepted like any other message, and that it could not be is logged. Whoever asks for none costs a look. */
void delivered_report(struct store *s, const struct acceptance *x);

#endif
